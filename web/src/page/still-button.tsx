// The button that keeps a picture of this moment, and what it says about that.
import { useEffect, useRef, useState } from "preact/hooks";
import type { Cancel, Timers } from "../time/timers";
import type { Visit } from "../visit/visit";
import { t } from "../words/words";
import {
  type SaveResult,
  StillError,
  type StillFailure,
  type StillPorts,
  saveFile,
  takeStill,
} from "./still";

/** How long a note stays: time enough to read one line. */
const NOTE_MS = 3500;

type StillState =
  | { readonly kind: "idle" }
  | { readonly kind: "taking" }
  /** The browser wants another tap to save this. */
  | { readonly kind: "ready"; readonly file: File }
  | { readonly kind: "saved" }
  | { readonly kind: "failed"; readonly failure: StillFailure };

const IDLE: StillState = { kind: "idle" };

export interface StillButtonProps {
  readonly visit: Visit;
  readonly ports: StillPorts;
  readonly timers: Timers;
}

export function StillButton({ visit, ports, timers }: StillButtonProps) {
  const [state, setState] = useStillState(timers);
  const save = async (file: File) => {
    setState(afterSaving(await saveFile(file, ports, timers), file));
  };
  const onClick = async () => {
    if (state.kind === "ready") {
      await save(state.file);
      return;
    }
    setState({ kind: "taking" });
    try {
      await save(await takeStill(ports, timers));
    } catch (error) {
      setState({ kind: "failed", failure: error instanceof StillError ? error.failure : "offline" });
    }
  };
  const isReady = state.kind === "ready";
  const name = t(isReady ? "still.save" : "still.keep");
  return (
    <>
      <button
        type="button"
        class={isReady ? "tool still still-ready" : "tool still"}
        aria-label={name}
        title={name}
        aria-busy={state.kind === "taking"}
        disabled={state.kind === "taking" || (!isReady && visit.viewer.value.kind !== "live")}
        onClick={() => void onClick()}
      >
        <svg viewBox="0 0 24 24" aria-hidden="true">
          {state.kind === "saved" ? <path d="M5 13l5 5 9-11" /> : <path d={CAMERA} />}
        </svg>
      </button>
      {(state.kind === "saved" || isReady) && <div class="still-flash" aria-hidden="true" />}
      <p class="still-note" aria-live="polite" data-kind={state.kind}>
        {noteOf(state)}
      </p>
    </>
  );
}

function afterSaving(result: SaveResult, file: File): StillState {
  switch (result) {
    case "saved":
      return { kind: "saved" };
    case "cancelled":
      return IDLE;
    case "needs_tap":
      return { kind: "ready", file };
  }
}

function noteOf(state: StillState): string {
  switch (state.kind) {
    case "saved":
      return t("still.saved");
    case "ready":
      return t("still.tap_again");
    case "failed":
      return t(`still.${state.failure}`);
    default:
      return "";
  }
}

/** The state; what only informs goes by itself, and nothing is set after the page has left the view. */
function useStillState(timers: Timers): readonly [StillState, (state: StillState) => void] {
  const [state, setState] = useState(IDLE);
  const isShown = useRef(true);
  const cancel = useRef<Cancel>(() => {});
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
      cancel.current();
    };
  }, []);
  const change = (next: StillState) => {
    cancel.current();
    if (!isShown.current) {
      return;
    }
    setState(next);
    if (next.kind === "saved" || next.kind === "failed") {
      cancel.current = timers.after(NOTE_MS, () => setState(IDLE));
    }
  };
  return [state, change];
}

const CAMERA = "M4 8h3l2-3h6l2 3h3v11H4zM12 16.5a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7";
