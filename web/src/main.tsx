// Starts the page.
import { render } from "preact";
import { WHOLE_WINDOW } from "./drive/input-area";
import { browserVisit } from "./house/browser-visit";
import { ownHouse } from "./house/house";
import { App } from "./page/app";
import "./page/styles.css";
import { browserTimers } from "./time/timers";
import { followLanguage, startLanguage } from "./words/language";

startLanguage({ wanted: navigator.languages, storage: () => window.localStorage });
followLanguage(document.documentElement);

/** The invitation's page redirects here once its button was pressed; no second tap is needed then. */
const JOIN_AT_ONCE = "#look";

const page = document.getElementById("page");
if (page !== null) {
  if (location.pathname === "/room") {
    void import("./room/start").then(({ startRoom }) => startRoom(page, ownHouse()));
  } else {
    startVisit(page);
  }
}

function startVisit(page: HTMLElement): void {
  const { visit, stills, ready } = browserVisit(ownHouse());
  render(<App visit={visit} timers={browserTimers} stills={stills} area={WHOLE_WINDOW} />, page);
  if (location.hash === JOIN_AT_ONCE) {
    history.replaceState(null, "", location.pathname); // so that a reload waits for a tap
    void ready.then(() => {
      if (document.visibilityState === "visible" && !visit.isJoined.value) {
        visit.join();
      }
    });
  }
}
