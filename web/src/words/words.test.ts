import { afterEach, expect, test } from "vitest";
import { EN } from "./en";
import { LANGUAGES, setLanguage, startLanguage } from "./language";
import { CATALOGUES, isKey, type Key, type Text, t } from "./words";

const KEYS = Object.keys(EN) as Key[];
const forms = (text: Text): string[] => (typeof text === "string" ? [text] : Object.values(text));
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

test("a code of a later server has no text", () => {
  expect(isKey("camera.busy")).toBe(true);
  expect(isKey("camera.of_a_later_server")).toBe(false);
  expect(isKey("toString")).toBe(false);
});
