// One key closes the curtain: Space, Enter or C, on any keyboard. No key opens it, because cats like keyboards too.

const KEYS = new Set([" ", "Enter", "c", "C"]);

/** Calls `close` for each of the keys, until the returned function is called. */
export function listenToCurtainKeys(target: Document, close: () => void): () => void {
  const onKey = (event: KeyboardEvent) => {
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (isPlain && KEYS.has(event.key) && !isForAnother(target.activeElement, event.key)) {
      event.preventDefault(); // or Enter would press the button that was tapped last
      close();
    }
  };
  // Before any other listener: nothing on the page may keep this key from working.
  target.addEventListener("keydown", onKey, { capture: true });
  return () => target.removeEventListener("keydown", onKey, { capture: true });
}

/** Whether the key belongs to what has the focus: a field to type in, or a control that was reached by the keyboard. */
function isForAnother(focused: Element | null, key: string): boolean {
  if (focused === null || focused.closest("[data-closes]") !== null) {
    return false;
  }
  if (focused.matches("input, select, textarea")) {
    return true;
  }
  const isLetter = key.toLowerCase() === "c";
  return !isLetter && focused.matches("button:focus-visible, a:focus-visible, summary:focus-visible");
}
