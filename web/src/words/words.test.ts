import { afterEach, expect, test } from "vitest";
import codes from "../../../contract/codes.json";
import { EN } from "./en";
import { LANGUAGES, setLanguage, startLanguage } from "./language";
import { CATALOGUES, type CodePrefix, codeText, forms, type Key, type Text, t } from "./words";

const KEYS = Object.keys(EN) as Key[];
const placeholders = (text: Text) => [
  ...new Set(forms(text).flatMap((form) => [...form.matchAll(/\{(\w+)\}/g)].map(([, name]) => name))),
];

const NO_STORAGE = () => ({ getItem: () => null, setItem: () => {} });

afterEach(() => startLanguage({ wanted: [], storage: NO_STORAGE }));

test.each(LANGUAGES)("no text is missing or empty in %s, and none is left over", (language) => {
  const catalogue = CATALOGUES[language];
  expect(Object.keys(catalogue).sort()).toEqual([...KEYS].sort());
  const empty = KEYS.filter((key) => forms(catalogue[key]).some((form) => form.trim() === ""));
  expect(empty).toEqual([]);
});

test.each(LANGUAGES)("every text in %s has the placeholders of the English one", (language) => {
  const different = KEYS.filter(
    (key) => placeholders(CATALOGUES[language][key]).sort().join() !== placeholders(EN[key]).sort().join(),
  );
  expect(different).toEqual([]);
});

test.each(LANGUAGES)("every text in %s has balanced braces and no stray space", (language) => {
  const odd = KEYS.filter((key) =>
    forms(CATALOGUES[language][key]).some(
      (form) => form !== form.trim() || form.includes("  ") || /[{}]/.test(form.replace(/\{\w+\}/g, "")),
    ),
  );
  expect(odd).toEqual([]);
});

test.each(Object.entries(codes))("every code of the kind %s has a text of its own", (kind, all) => {
  const isMissing = (code: string) =>
    codeText(kind as CodePrefix, code, "start.welcome") === t("start.welcome");
  expect(all.filter(isMissing)).toEqual([]);
});

test.each<[string, RegExp]>([
  ["a word of another language, or none", /^\P{Script=Han}*$/u],
  ["你 instead of 您", /你/],
  ["punctuation of Latin script", /\p{Script=Han}[,.!?;:()]/u],
  ["a space beside a name", / \{name\}|\{name\} /],
])("no Chinese text has %s", (_, fault) => {
  const texts = KEYS.filter((key) => key !== "live.zoom").map((key) => [key, forms(CATALOGUES.zh[key])]);
  expect(texts.filter(([, all]) => (all as string[]).some((form) => fault.test(form)))).toEqual([]);
});

test("a text is that of the language", () => {
  expect(t("action.leave")).toBe("Leave");
  setLanguage("zh");
  expect(t("action.leave")).toBe("离开");
});

test("values take the places of their names, and numbers are written as the reader's region does", () => {
  expect(t("live.zoom", { zoom: 2.5 })).toBe("2.5×");
  startLanguage({ wanted: ["en-IN"], storage: NO_STORAGE });
  expect(t("panel.ms", { count: 1234567 })).toBe("12,34,567 ms");
});

test("a value is never read as a placeholder", () => {
  expect(t("live.zoom", { zoom: "{zoom}$&" })).toBe("{zoom}$&×");
});

test("plural forms follow the rules of the language", () => {
  expect([0, 1, 2].map((count) => t("book.stills", { count }))).toEqual([
    "kept 0 pictures",
    "kept 1 picture",
    "kept 2 pictures",
  ]);
  setLanguage("zh");
  expect(t("book.stills", { count: 1 })).toBe("留了 1 张照片");
});

test("a code has its text, and one of a later server another", () => {
  expect(codeText("camera", "busy", "camera.failed")).toBe("Another program is using the camera.");
  expect(codeText("camera", "of_a_later_server", "camera.failed")).toBe(t("camera.failed"));
  expect(codeText("access", "quiet_until", "access.quiet")).toBe(t("access.quiet")); // would need a value
});
