// Offers the other languages of the page, each by its own name, so that somebody who cannot read this one finds theirs.
import { LANGUAGE_NAMES, LANGUAGES, language, setLanguage } from "./language";

export function LanguageSwitch() {
  return (
    <div class="language-switch">
      {LANGUAGES.filter((other) => other !== language.value).map((other) => (
        <button key={other} type="button" class="secondary" lang={other} onClick={() => setLanguage(other)}>
          {LANGUAGE_NAMES[other]}
        </button>
      ))}
    </div>
  );
}
