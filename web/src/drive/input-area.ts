// The part of a page that keys and gamepads belong to while it has the focus: a whole window, or one element among others.

export interface InputArea {
  /** Gets the events of the keys that are meant for it. */
  readonly target: Window | HTMLElement;
  hasFocus(): boolean;
}

/** A page that is all Belvedere. */
export const WHOLE_WINDOW: InputArea = {
  get target() {
    return window;
  },
  hasFocus: () => document.hasFocus(),
};

/** An element in a page that has other things, too; the focus is within it or elsewhere. */
export function elementArea(element: HTMLElement): InputArea {
  return { target: element, hasFocus: () => document.hasFocus() && element.matches(":focus-within") };
}

/** Calls `run` when the focus leaves the area for another part of the page, which would then hear of a key's release. */
export function onFocusLeft({ target }: InputArea, run: () => void, signal: AbortSignal): void {
  if (target instanceof HTMLElement) {
    const onFocusOut = ({ relatedTarget }: FocusEvent) => {
      if (!(relatedTarget instanceof Node && target.contains(relatedTarget))) {
        run();
      }
    };
    target.addEventListener("focusout", onFocusOut, { signal });
  }
}
