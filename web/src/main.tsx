// Starts the page.
import { render } from "preact";
import { WHOLE_WINDOW } from "./drive/input-area";
import { type BrowserVisit, browserVisit, hasSession } from "./house/browser-visit";
import { ownHouse } from "./house/house";
import { Join, secretIn } from "./login/join";
import { App } from "./page/app";
import "./page/styles.css";
import { browserTimers } from "./time/timers";
import { followLanguage, startLanguage } from "./words/language";

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

const page = document.getElementById("page");
if (page !== null) {
  const secret = secretIn(location);
  if (secret !== null) {
    render(<Join ports={ownHouse()} secret={secret} onJoined={() => lookAtOnce(page)} />, page);
  } else if (location.pathname === "/room") {
    void import("./room/start").then(({ startRoom }) => startRoom(page, ownHouse()));
  } else {
    startVisit(page);
    void hasSession(ownHouse()).then(
      (has) => has === false && render(<Join ports={ownHouse()} secret="" />, page),
    );
  }
}

function startVisit(page: HTMLElement): BrowserVisit {
  const started = browserVisit(ownHouse());
  const { visit, stills } = started;
  render(<App visit={visit} timers={browserTimers} stills={stills} area={WHOLE_WINDOW} />, page);
  return started;
}

/** After the button of an invitation was pressed: no second tap is needed, though a reload waits for one. */
function lookAtOnce(page: HTMLElement): void {
  history.replaceState(null, "", "/");
  const { visit, ready } = startVisit(page);
  void ready.then(() => {
    if (document.visibilityState === "visible" && !visit.isJoined.value) {
      visit.join();
    }
  });
}
