// Starts the page: the door, and behind it the view, or the room's own page.
import { computed, effect, signal, untracked } from "@preact/signals";
import { render } from "preact";
import { WHOLE_WINDOW } from "./drive/input-area";
import { type BrowserVisit, browserVisit } from "./house/browser-visit";
import { ownHouse } from "./house/house";
import { Access, secretOf } from "./login/access";
import { AccountMenu } from "./login/account-menu";
import { Api } from "./login/api";
import { deviceName } from "./login/device-name";
import { Door } from "./login/door";
import { ReturnCard } from "./login/return-card";
import { passkeyLack } from "./login/webauthn";
import { App } from "./page/app";
import "./page/styles.css";
import { browserTimers } from "./time/timers";
import { followLanguage, startLanguage } from "./words/language";

/** Read at once, so that the secret of a link is neither in the address bar nor in the history of the browser. */
const secret = takeSecret();

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

const house = ownHouse();
const api = new Api(house);
const nowMs = () => Date.now();
const lack = passkeyLack(window);
/** Only who is in has a view: without a session, the house would refuse its requests. */
const view = signal<BrowserVisit | null>(null);
const access = new Access({
  api,
  credentials: lack === "none" ? navigator.credentials : null,
  deviceName: () => deviceName(navigator.userAgent),
  enter: () => void joinOnceReady(view.value),
  nowMs,
});
const isIn = computed(() => access.state.value.kind === "in");

const page = document.getElementById("page");
if (page !== null) {
  render(<Page />, page);
  effect(() => (location.pathname === "/room" ? startRoom(page) : startView()));
  effect(followEnd);
  void access.start(secret);
  window.addEventListener("hashchange", receiveAnotherLink);
}

function Page() {
  return (
    <Door access={access} lack={lack}>
      {view.value !== null && (
        <App
          visit={view.value.visit}
          timers={browserTimers}
          stills={view.value.stills}
          area={WHOLE_WINDOW}
          menu={<AccountMenu access={access} api={api} nowMs={nowMs} />}
          card={<ReturnCard access={access} nowMs={nowMs} />}
        />
      )}
    </Door>
  );
}

/** The room's page takes the place of the door; it stays, and says by itself when its session has ended. */
function startRoom(page: HTMLElement): undefined {
  if (isIn.value) {
    void import("./room/start").then((room) => {
      render(null, page);
      room.startRoom(page, house);
    });
  }
}

function startView(): (() => void) | undefined {
  if (!isIn.value) {
    return undefined;
  }
  view.value = untracked(() => browserVisit(house));
  return () => {
    view.peek()?.close();
    view.value = null;
  };
}

function followEnd(): void {
  const visit = view.value?.visit;
  if (visit?.endVisitState.value === "done") {
    access.receiveLeft();
  } else if (visit?.isJoined.value && visit.statusMessage.value.topic === "ended") {
    void access.checkEnded(visit.statusMessage.value);
  }
}

/** The visitor has tapped already, so no second tap is needed. */
async function joinOnceReady(entered: BrowserVisit | null): Promise<void> {
  await entered?.ready;
  if (entered !== null && entered === view.value && !entered.visit.isJoined.value) {
    entered.visit.join();
  }
}

function receiveAnotherLink(): void {
  const another = takeSecret();
  if (another !== "") {
    void access.start(another);
  }
}

function takeSecret(): string {
  const found = secretOf(location);
  if (location.pathname === "/join") {
    history.replaceState(null, "", "/join");
  }
  return found;
}
