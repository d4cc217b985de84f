// Every text that somebody reads is in the catalogue, and every text in the catalogue is read. These tests look through the
// sources of the page for texts and for keys.
import { parseSync } from "vite";
import { expect, test } from "vitest";
import codes from "../../../contract/codes.json";
import { EN } from "./en";

const SOURCES = import.meta.glob<string>(
  ["../**/*.{ts,tsx}", "!../**/*.test.*", "!../testing/**", "!./en.ts", "!./zh.ts"],
  { eager: true, query: "?raw", import: "default" },
);

/** Attributes that are read out or shown. */
const SHOWN_ATTRIBUTES = new Set([
  "aria-label",
  "aria-description",
  "aria-roledescription",
  "aria-valuetext",
  "alt",
  "label",
  "placeholder",
  "title",
]);
/** The name of the product is the same in every language, and each language is named in its own. */
const NAMES = new Set(["Belvedere", "English", "中文"]);
/** Two words or more that begin like a sentence or end like one, or anything in Chinese. */
const PROSE = /^\p{Lu}\S*,? \p{L}|\p{L},? \p{L}.*[.!?…:]$|\p{Script=Han}/u;
const LETTER = /\p{L}/u;

type Node = Readonly<Record<string, unknown>> & { readonly type: string };

/** The texts of a source file that should be in the catalogue. */
function literalTexts(path: string, source: string): string[] {
  const { program, errors } = parseSync(path, source);
  expect(errors).toEqual([]);
  return textsIn(program as unknown as Node, false);
}

/** The texts in `node`; `isShown` says that a string of any kind is shown there, so that one word is a text. */
function textsIn(node: Node, isShown: boolean): string[] {
  switch (node.type) {
    case "ImportDeclaration":
    case "NewExpression": // an error's message, for developers
    case "BinaryExpression": // a comparison with a code
    case "TSLiteralType":
      return [];
    case "CallExpression": // a key of `t`, or a code
    case "JSXOpeningElement":
      return textsInside(node, false);
    case "JSXElement":
    case "JSXFragment":
      return textsInside(node, true);
    case "JSXAttribute":
      return textsInside(node, SHOWN_ATTRIBUTES.has(String((node["name"] as Node)["name"])));
    case "JSXText":
      return textOf(String(node["value"]).trim(), true);
    case "Literal":
      return typeof node["value"] === "string" ? textOf(node["value"], isShown) : [];
    case "TemplateElement":
      return textOf((node["value"] as { cooked: string }).cooked, isShown);
    default:
      return textsInside(node, isShown);
  }
}

function textsInside(node: Node, isShown: boolean): string[] {
  return Object.values(node)
    .flat()
    .flatMap((child) =>
      typeof child === "object" && child !== null && "type" in child ? textsIn(child as Node, isShown) : [],
    );
}

function textOf(text: string, isShown: boolean): string[] {
  return (isShown ? LETTER : PROSE).test(text) && !NAMES.has(text) ? [text] : [];
}

test.each([
  ["text in an element", "const a = <p>Hello</p>;", ["Hello"]],
  ["text beside an element", "const a = <p>Hi <b>{name}</b>, you</p>;", ["Hi", ", you"]],
  ["a label", 'const a = <button aria-label="Stop" class="stop" />;', ["Stop"]],
  ["a label that is put together", "const a = <i title={`Zoom $" + "{zoom}`} />;", ["Zoom "]],
  ["a choice in an element", 'const a = <p>{kind === "a" ? "yes" : "no"}</p>;', ["yes", "no"]],
  ["a sentence anywhere", 'const TEXT = { failed: "That went wrong" };', ["That went wrong"]],
  ["a sentence without a capital", 'const text = "please wait a moment.";', ["please wait a moment."]],
  ["a Chinese word anywhere", 'const text = "离开";', ["离开"]],
])("%s is found", (_, source, expected) => {
  expect(literalTexts("a.tsx", source)).toEqual(expected);
});

test.each([
  'const a = <p class="note" data-kind="x">{t("action.leave")}</p>;',
  'const a = <p>{codeText("camera", code, "camera.failed")}</p>;',
  'const a = <p>{kind === "live" && <i />} – 12 {"·"}</p>;',
  'throw new Error("the page has no element");',
  'import { t } from "../words/words";',
  'const STYLE = "picture-box picture-glide";',
])("this is no text: %s", (source) => {
  expect(literalTexts("a.tsx", source)).toEqual([]);
});

test.each(Object.keys(SOURCES))("%s has no text of its own", (path) => {
  expect(literalTexts(path, SOURCES[path] ?? "")).toEqual([]);
});

test("no text is left over: each key is in the sources, or ends in what they put after its beginning", () => {
  const all = Object.values(SOURCES).join("\n");
  const isBuilt = (key: string) =>
    all.includes(`\`${key.slice(0, key.lastIndexOf(".") + 1)}\${`) || key.slice(0, key.indexOf(".")) in codes;
  expect(Object.keys(EN).filter((key) => !all.includes(`"${key}"`) && !isBuilt(key))).toEqual([]);
});
