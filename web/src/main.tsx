// Starts the page in a window of its own: the login, and once somebody is in the view, or the room's own page.
import { WHOLE_WINDOW } from "./drive/input-area";
import { secretOf } from "./login/access";
import { AccountMenu } from "./login/account-menu";
import { ReturnCard } from "./login/return-card";
import { passkeyLack } from "./login/webauthn";
import { openVisitorPage } from "./page/visitor-page";
import { basePath, pageOf } from "./server/base-path";
import { ownServer } from "./server/server";
import "./page/styles.css";
import { followLanguage, startLanguage } from "./words/language";

const base = basePath();
/** Read at once, so that the secret of a link is neither in the address bar nor in the history of the browser. */
const secret = takeSecret();

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

const server = ownServer(base);
const nowMs = () => Date.now();
/** What takes the place of the view on the house's other pages. */
const OTHER_PAGES: Readonly<Record<string, (root: HTMLElement, isNew: boolean) => Promise<void>>> = {
  "/room": showRoom,
  "/rooms": showRooms,
};
const shownInstead = OTHER_PAGES[pageOf(location, base)];
const root = document.getElementById("page");
if (root !== null) {
  const page = openVisitorPage(root, {
    server,
    area: WHOLE_WINDOW,
    lack: passkeyLack(window),
    extras: (access, api) => ({
      menu: <AccountMenu access={access} api={api} nowMs={nowMs} />,
      card: <ReturnCard access={access} nowMs={nowMs} />,
    }),
    // it takes the place of the login, stays, and says by itself when its session has ended
    ...(shownInstead !== undefined && { showInstead: (isNew: boolean) => void shownInstead(root, isNew) }),
  });
  page.start(secret);
  window.addEventListener("hashchange", () => {
    const another = takeSecret();
    if (another !== "") {
      page.start(another);
    }
  });
}

async function showRoom(root: HTMLElement): Promise<void> {
  const { startRoom } = await import("./room/start");
  startRoom(root, server);
}

async function showRooms(root: HTMLElement, isNew: boolean): Promise<void> {
  if (isNew) {
    location.reload(); // the page of somebody who is not in yet may not ask the other rooms
    return;
  }
  const { startRooms } = await import("./rooms/start");
  startRooms(root, server);
}

function takeSecret(): string {
  const found = secretOf({ pathname: pageOf(location, base), hash: location.hash });
  if (found !== "") {
    history.replaceState(null, "", location.pathname);
  }
  return found;
}
