// @vitest-environment happy-dom
import { afterEach, expect, test } from "vitest";
import { followLanguage, language, locale, setLanguage, startLanguage } from "./language";

function fakeStorage(remembered: string | null = null) {
  const values = new Map<string, string>(remembered === null ? [] : [["belvedere-language", remembered]]);
  return {
    getItem: (key: string) => values.get(key) ?? null,
    setItem: (key: string, value: string) => void values.set(key, value),
  };
}

function start(wanted: readonly string[], storage = fakeStorage()) {
  startLanguage({ wanted, storage: () => storage });
}

afterEach(() => start([]));

test.each<[string, readonly string[], string, string]>([
  ["the browser's first", ["zh-CN", "en"], "zh", "zh-CN"],
  ["the first that the page has", ["de-AT", "zh-TW", "en"], "zh", "zh-TW"],
  ["the reader's own region", ["en-GB", "zh"], "en", "en-GB"],
  ["English where it has none of them", ["de", "fr-CA"], "en", "en"],
  ["English where the browser says nothing", [], "en", "en"],
  ["the next where a tag is broken", ["zh_CN.UTF-8", "", "en-GB"], "en", "en-GB"],
  ["English for a language whose name begins alike", ["enm", "zha"], "en", "en"],
])("the language is %s", (_, wanted, expected, expectedLocale) => {
  start(wanted);
  expect(language.value).toBe(expected);
  expect(locale.value).toBe(expectedLocale);
});

test("what the reader chose is remembered, and outranks the browser", () => {
  const storage = fakeStorage();
  start(["en-GB"], storage);
  setLanguage("zh");
  expect(locale.value).toBe("zh-Hans");
  start(["en-GB"], storage);
  expect(language.value).toBe("zh");
});

test("a remembered language that the page does not have is ignored", () => {
  start(["zh"], fakeStorage("tlh"));
  expect(language.value).toBe("zh");
});

test("without storage the choice holds until the page is closed", () => {
  const refuse = () => {
    throw new DOMException("", "SecurityError");
  };
  startLanguage({ wanted: ["zh"], storage: refuse });
  expect(language.value).toBe("zh");
  setLanguage("en");
  expect(language.value).toBe("en");
});

test("the lang attribute follows the language", () => {
  const root = document.createElement("main");
  start(["zh-CN"]);
  const stop = followLanguage(root);
  expect(root.lang).toBe("zh-Hans");
  setLanguage("en");
  expect(root.lang).toBe("en");
  stop();
  setLanguage("zh");
  expect(root.lang).toBe("en");
});
