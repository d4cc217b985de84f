// Starts the page in a window of its own: the login, and once somebody is in the view, or the room's own page.
import { WHOLE_WINDOW } from "./drive/input-area";
import { secretOf } from "./login/access";
import { AccountMenu } from "./login/account-menu";
import { ReturnCard } from "./login/return-card";
import { passkeyLack } from "./login/webauthn";
import { openVisitorPage } from "./page/visitor-page";
import { ownServer } from "./server/server";
import "./page/styles.css";
import { followLanguage, startLanguage } from "./words/language";

/** Read at once, so that the secret of a link is neither in the address bar nor in the history of the browser. */
const secret = takeSecret();

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

const server = ownServer();
const nowMs = () => Date.now();
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
    ...(location.pathname === "/room" && { showInstead: () => void showRoom(root) }),
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

function takeSecret(): string {
  const found = secretOf(location);
  if (found !== "") {
    history.replaceState(null, "", location.pathname);
  }
  return found;
}
