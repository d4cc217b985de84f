// The language of the page: that of the browser until the reader chooses one, which this device remembers.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";

/** The languages of the page, each by its own name. */
export const LANGUAGE_NAMES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGE_NAMES;
export const LANGUAGES = Object.keys(LANGUAGE_NAMES) as readonly Language[];

/** What the `lang` attribute says; browsers choose the form of Chinese characters by it. */
const TAGS: Record<Language, string> = { en: "en", zh: "zh-Hans" };
const STORAGE_KEY = "belvedere-language";

/** What is used of the browser. The storage may refuse, at any call, even to be asked for. */
export interface LanguagePorts {
  /** BCP 47 tags, the most wanted first, such as `navigator.languages`. */
  readonly wanted: readonly string[];
  storage(): Pick<Storage, "getItem" | "setItem">;
}

const NO_PORTS: LanguagePorts = {
  wanted: [],
  storage: () => {
    throw new Error("there is no storage");
  },
};

let ports = NO_PORTS;
const current = signal<Language>("en");
const wantedTags = signal<readonly string[]>([]);

export const language: ReadonlySignal<Language> = current;

/** For `Intl`: the reader's own region where it speaks the language of the page, so that times look as at home. */
export const locale: ReadonlySignal<string> = computed(
  () => wantedTags.value.find((tag) => languageOf(tag) === current.value) ?? TAGS[current.value],
);

/** Chooses the language: the remembered one, or else the first that the browser wants and the page has, or English. */
export function startLanguage(browser: LanguagePorts): void {
  ports = browser;
  wantedTags.value = browser.wanted.filter(isTag);
  current.value = remembered() ?? wantedTags.value.map(languageOf).find((found) => found !== null) ?? "en";
}

/** The reader has chosen. */
export function setLanguage(chosen: Language): void {
  current.value = chosen;
  try {
    ports.storage().setItem(STORAGE_KEY, chosen);
  } catch {
    // private windows and full disks refuse: it is remembered until the page is closed
  }
}

/** Keeps the `lang` attribute of `root` true; returns a function that stops it. */
export function followLanguage(root: HTMLElement): () => void {
  return effect(() => {
    root.lang = TAGS[current.value];
  });
}

function remembered(): Language | null {
  try {
    const value = ports.storage().getItem(STORAGE_KEY);
    return LANGUAGES.find((known) => known === value) ?? null;
  } catch {
    return null;
  }
}

function languageOf(tag: string): Language | null {
  const primary = tag.toLowerCase().split("-", 1)[0];
  return LANGUAGES.find((known) => known === primary) ?? null;
}

/** Some browsers list what `Intl` would reject with an exception. */
function isTag(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1;
  } catch {
    return false;
  }
}
