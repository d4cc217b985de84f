// How the visitor wants the picture framed: whole or filling the screen, remembered on this device, and how far zoomed.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { Point } from "../drive/gesture";
import type { InputArea } from "../drive/input-area";
import type { PictureGestures } from "../drive/pointer-input";
import {
  type Framing,
  framingScale,
  MAX_ZOOM,
  MIDDLE,
  type Placement,
  place,
  type Size,
  type View,
  zoomed,
} from "./picture-view";

/** An upright phone would leave two thirds of its screen black around a whole picture; others show nearly all anyway. */
const DEFAULTS = { upright: "fill", wide: "fit" } as const;
/** Screens narrower than that, by their height, are upright. */
const UPRIGHT_ASPECT = 4 / 5;
/** Until the first frame says otherwise. */
const USUAL_PICTURE: Size = { widthPx: 1280, heightPx: 720 };
/** One press of a zoom key. */
const KEY_FACTOR = 1.25;
/** The two framings look the same if their sizes differ by less than that. */
const SAME_SIZE = 1.01;

type Orientation = keyof typeof DEFAULTS;

/** The part of `localStorage` that is used. Browsers may refuse it, at any call. */
export type FramingStorage = Pick<Storage, "getItem" | "setItem">;

export class PictureFraming implements PictureGestures {
  readonly #storage: () => FramingStorage;
  readonly #screen = signal<Size>({ widthPx: 0, heightPx: 0 });
  readonly #picture = signal(USUAL_PICTURE);
  readonly #view = signal<Omit<View, "framing">>(MIDDLE);
  readonly #isGliding = signal(false);
  readonly #chosen: Record<Orientation, ReturnType<typeof signal<Framing>>>;
  readonly #orientation = computed<Orientation>(() => {
    const { widthPx, heightPx } = this.#screen.value;
    return widthPx <= heightPx * UPRIGHT_ASPECT ? "upright" : "wide";
  });

  readonly framing: ReadonlySignal<Framing> = computed(
    () => this.#chosen[this.#orientation.value].value ?? DEFAULTS[this.#orientation.value],
  );
  readonly zoom: ReadonlySignal<number> = computed(() => this.#view.value.zoom);
  readonly placement: ReadonlySignal<Placement> = computed(() =>
    place(this.#whole(), this.#picture.value, this.#screen.value),
  );
  /** Whether `fit` and `fill` look different on this screen. */
  readonly hasChoice: ReadonlySignal<boolean> = computed(() => {
    const [fit, fill] = (["fit", "fill"] as const).map((framing) =>
      framingScale(framing, this.#picture.value, this.#screen.value),
    ) as [number, number];
    return fill > fit * SAME_SIZE;
  });

  /** `storage` is called whenever it is needed, because already asking for it may throw. */
  constructor(storage: () => FramingStorage) {
    this.#storage = storage;
    this.#chosen = {
      upright: signal(this.#remembered("upright")),
      wide: signal(this.#remembered("wide")),
    };
  }

  get pictureSize(): ReadonlySignal<Size> {
    return this.#picture;
  }

  /** Whether the picture moves softly to its place: not under a finger, which it has to follow. */
  get isGliding(): ReadonlySignal<boolean> {
    return this.#isGliding;
  }

  /** The height of the empty bar above the picture, and below it; the zoom does not count. */
  get letterboxPx(): number {
    return Math.max(0, place({ ...this.#whole(), ...MIDDLE }, this.#picture.value, this.#screen.value).topPx);
  }

  /** The size of the area that the picture is shown in. */
  receiveScreen(size: Size): void {
    this.#isGliding.value = false;
    this.#screen.value = size;
  }

  /** The size of the newest frame. */
  receivePictureSize(width: number, height: number): void {
    if (width > 0 && height > 0) {
      this.#picture.value = { widthPx: width, heightPx: height };
    }
  }

  zoomBy(factor: number, from: Point, to: Point): void {
    this.#isGliding.value = false;
    this.#zoomBy(factor, from, to);
  }

  /** Undoes the zoom if there is any, else switches between the whole picture and a filled screen. */
  toggle(): void {
    this.#isGliding.value = true;
    if (this.zoom.value > 1) {
      this.#view.value = MIDDLE;
      return;
    }
    const orientation = this.#orientation.value;
    const framing = this.framing.value === "fit" ? "fill" : "fit";
    this.#view.value = MIDDLE;
    this.#chosen[orientation].value = framing;
    try {
      this.#storage().setItem(keyOf(orientation), framing);
    } catch {
      // private windows and full disks refuse: it is remembered until the page is closed
    }
  }

  receiveDoubleTap(): void {
    this.toggle();
  }

  /** `+` and `-` zoom, `0` undoes the zoom. Returns whether it was one of these. */
  receiveKey(key: string): boolean {
    const { widthPx, heightPx } = this.#screen.value;
    const middle = { xPx: widthPx / 2, yPx: heightPx / 2 };
    switch (key) {
      case "+":
      case "=": // the key of the plus sign, without Shift
        this.#zoomBy(KEY_FACTOR, middle, middle);
        break;
      case "-":
        this.#zoomBy(1 / KEY_FACTOR, middle, middle);
        break;
      case "0":
        this.#view.value = MIDDLE;
        break;
      default:
        return false;
    }
    this.#isGliding.value = true;
    return true;
  }

  /** Listens to the zoom keys until the returned function is called. */
  listenToKeys({ target }: InputArea): () => void {
    const onKeyDown = (event: Event) => {
      if (!(event instanceof KeyboardEvent)) {
        return;
      }
      const isShortcut = event.ctrlKey || event.altKey || event.metaKey; // of the browser, which zooms the page
      if (!isShortcut && this.receiveKey(event.key)) {
        event.preventDefault();
      }
    };
    target.addEventListener("keydown", onKeyDown);
    return () => target.removeEventListener("keydown", onKeyDown);
  }

  #zoomBy(factor: number, from: Point, to: Point): void {
    const { framing: _, ...view } = zoomed(
      this.#whole(),
      this.#picture.value,
      this.#screen.value,
      factor,
      from,
      to,
    );
    this.#view.value = view;
  }

  #whole(): View {
    return { framing: this.framing.value, ...this.#view.value };
  }

  #remembered(orientation: Orientation): Framing | undefined {
    try {
      const value = this.#storage().getItem(keyOf(orientation));
      return value === "fit" || value === "fill" ? value : undefined;
    } catch {
      return undefined;
    }
  }
}

function keyOf(orientation: Orientation): string {
  return `belvedere-framing-${orientation}`;
}

/** The zoom for people, such as `2.5`. */
export function zoomText(zoom: number): string {
  return `${Math.min(MAX_ZOOM, zoom).toFixed(1)}`;
}
