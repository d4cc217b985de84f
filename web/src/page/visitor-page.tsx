// The page of one server, in whatever element: the login, and once somebody is in the view.
import { computed, effect, signal, untracked } from "@preact/signals";
import { type ComponentChildren, render } from "preact";
import type { InputArea } from "../drive/input-area";
import { Access } from "../login/access";
import { deviceName } from "../login/device-name";
import { LoginGate } from "../login/login-gate";
import type { PasskeyLack } from "../login/webauthn";
import { Api } from "../server/api";
import { type BrowserVisit, browserVisit } from "../server/browser-visit";
import type { Server } from "../server/server";
import { createVideo, Player } from "../stage/player";
import { browserTimers } from "../time/timers";
import { App } from "./app";

export interface VisitorPageOptions {
  readonly server: Server;
  readonly area: InputArea;
  /** Why passkeys cannot work here. */
  readonly lack: PasskeyLack;
  /** What else is on the start screen, and over the live picture. */
  extras?(access: Access, api: Api): { readonly menu: ComponentChildren; readonly card: ComponentChildren };
  /** What takes the page's place once somebody is in, instead of the view; `isNew` says that they came in just now. */
  readonly showInstead?: (isNew: boolean) => void;
}

export interface VisitorPage {
  /** Finds out who this is, with the secret of an invitation or "". */
  start(secret: string): void;
  /** Ends the visit, and takes everything off the element. */
  close(): void;
}

/** Draws the page into `root`, until it is closed. */
export function openVisitorPage(root: HTMLElement, options: VisitorPageOptions): VisitorPage {
  const { server, area, lack } = options;
  const api = new Api(server);
  const video = createVideo();
  const player = new Player(video, browserTimers);
  /** Only who is in has a view: without a session, the server would refuse its requests. */
  const view = signal<BrowserVisit | null>(null);
  const access = new Access({
    api,
    credentials: lack === "none" ? navigator.credentials : null,
    deviceName: () => deviceName(navigator.userAgent),
    enter: () => void joinOnceReady(view.value),
    nowMs: () => Date.now(),
  });
  const isIn = computed(() => access.state.value.kind === "in");

  /** The visitor has tapped already, so no second tap is needed. */
  const joinOnceReady = async (entered: BrowserVisit | null) => {
    await entered?.ready;
    if (entered !== null && entered === view.value && !entered.visit.isJoined.value) {
      entered.visit.join();
    }
  };
  const startView = () => {
    if (!isIn.value) {
      return undefined;
    }
    if (options.showInstead !== undefined) {
      render(null, root);
      const state = untracked(() => access.state.value);
      options.showInstead(state.kind === "in" && state.by !== "session");
      return undefined;
    }
    const ways = untracked(() =>
      access.state.value.kind === "in" ? access.state.value.session.ways : undefined,
    );
    view.value = untracked(() => browserVisit(server, player, ways));
    return () => {
      view.peek()?.close();
      view.value = null;
    };
  };
  const followEnd = () => {
    const visit = view.value?.visit;
    if (visit?.endVisitState.value === "done") {
      access.receiveLeft();
    } else if (visit?.isOver.value) {
      void access.checkEnded(() => visit.statusMessage.value);
    }
  };
  const Page = () => {
    const shown = view.value;
    return (
      <LoginGate access={access} lack={lack}>
        {shown !== null && (
          <App
            visit={shown.visit}
            video={video}
            timers={browserTimers}
            stills={shown.stills}
            area={area}
            {...options.extras?.(access, api)}
          />
        )}
      </LoginGate>
    );
  };
  // The first tap, whatever it is for: browsers that play nothing by themselves let an element that a tap has played.
  const unlock = () => player.playByTap();
  root.addEventListener("click", unlock, { once: true, capture: true });
  render(<Page />, root);
  const stopEffects = [effect(startView), effect(followEnd)];
  return {
    start: (secret) => void access.start(secret),
    close: () => {
      root.removeEventListener("click", unlock, { capture: true });
      for (const stop of stopEffects) {
        stop();
      }
      render(null, root);
    },
  };
}
