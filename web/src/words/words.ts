// The words of the page, by key, in the reader's language. A component or a computed signal that calls `t` follows the
// language by itself, because `t` reads its signal.
import { EN } from "./en";
import { type Language, language, locale } from "./language";
import { ZH } from "./zh";

/** The forms of a text that depends on `count`, by the plural rules of its language. */
export interface Plural {
  readonly one?: string;
  readonly other: string;
}
export type Text = string | Plural;

/** The names in braces of a text, such as `name` of "Hello {name}". A text with plural forms always has `count`. */
export type Placeholder<T> = T extends string
  ? T extends `${string}{${infer Name}}${infer Rest}`
    ? Name | Placeholder<Rest>
    : never
  : "count" | (T extends Plural ? Placeholder<T[keyof T]> : never);

type English = typeof EN;
export type Key = keyof English;
export type Value = string | number;
/** What a text needs besides its key: nothing, or a value for each of its placeholders. */
export type Values<K extends Key> = [Placeholder<English[K]>] extends [never]
  ? []
  : [values: Readonly<Record<Placeholder<English[K]>, Value>>];

export const CATALOGUES: Readonly<Record<Language, Readonly<Record<Key, Text>>>> = { en: EN, zh: ZH };

/** The text of `key` in the language of the page; numbers among the values are written as is usual there. */
export function t<K extends Key>(key: K, ...[values]: Values<K>): string {
  const text = CATALOGUES[language.value][key];
  const given: Readonly<Record<string, Value>> = values ?? {};
  return form(text, given["count"]).replace(/\{(\w+)\}/g, (_, name: string) => valueText(given[name] ?? ""));
}

/** The keys of texts without placeholders. */
export type PlainKey = { [K in Key]: [Placeholder<English[K]>] extends [never] ? K : never }[Key];
/** The beginnings of keys that end in a code of the server. */
export type CodePrefix = "access" | "camera" | "ended" | "fault" | "link" | "problem" | "role";

/** The text for a code of the server; `otherwise` for one that only a later server knows. */
export function codeText(prefix: CodePrefix, code: string, otherwise: PlainKey): string {
  const key = `${prefix}.${code}`;
  return t(isPlainKey(key) ? key : otherwise);
}

function isPlainKey(key: string): key is PlainKey {
  return Object.hasOwn(EN, key) && forms(EN[key as Key]).every((form) => !form.includes("{"));
}

/** A text in all its forms. */
export function forms(text: Text): string[] {
  return typeof text === "string" ? [text] : [text.one, text.other].filter((form) => form !== undefined);
}

function form(text: Text, count: Value | undefined): string {
  if (typeof text === "string") {
    return text;
  }
  const category = new Intl.PluralRules(locale.value).select(Number(count));
  return (category === "one" ? text.one : undefined) ?? text.other;
}

function valueText(value: Value): string {
  return typeof value === "number" ? new Intl.NumberFormat(locale.value).format(value) : value;
}
