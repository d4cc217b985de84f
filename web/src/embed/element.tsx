// `<belvedere-view house="https://…">`: the whole page of a house, as an element of a page of another origin.
import { elementArea } from "../drive/input-area";
import loginStyles from "../login/login.css?inline";
import pageStyles from "../page/styles.css?inline";
import { openVisitorPage, type VisitorPage } from "../page/visitor-page";
import type { ServerSocket } from "../server/server";
import { browserTimers } from "../time/timers";
import { followLanguage, startLanguage } from "../words/language";
import { BearerStore } from "./bearer-store";
import { houseOf, takeInvitation } from "./invitation-link";
import { RemoteServer } from "./remote-server";

const TAG = "belvedere-view";

class BelvedereView extends HTMLElement {
  static readonly observedAttributes = ["house", "language"];
  #open: { readonly page: VisitorPage; readonly remote: RemoteServer; readonly stop: () => void } | null =
    null;

  connectedCallback(): void {
    if (this.#open === null) {
      this.#show(); // an element that the page already had has heard of its attributes before
    }
  }

  /** Leaves the visit: whatever it drives stops, and its sockets and pictures are closed. */
  disconnectedCallback(): void {
    this.#close();
  }

  attributeChangedCallback(name: string): void {
    if (name === "language") {
      startLanguage(this.#languagePorts());
    } else if (this.isConnected) {
      this.#show();
    }
  }

  #show(): void {
    this.#close();
    const house = houseOf(this.getAttribute("house"));
    if (house === null) {
      return;
    }
    startLanguage(this.#languagePorts());
    const remote = new RemoteServer(house, {
      timers: browserTimers,
      newSecret,
      store: new BearerStore(house, () => window.sessionStorage),
      fetch: (address, init) => fetch(address, init),
      openSocket: (address, subprotocols): ServerSocket => new WebSocket(address, subprotocols),
    });
    const root = this.#root();
    const stopLanguage = followLanguage(root);
    // passkeys belong to the house's own address, and browsers do not offer them on other pages
    const page = openVisitorPage(root, { server: remote, area: elementArea(root), lack: "address" });
    page.start(
      takeInvitation(location, house, (address) => history.replaceState(history.state, "", address)),
    );
    const onHash = () => {
      const secret = takeInvitation(location, house, (address) =>
        history.replaceState(history.state, "", address),
      );
      if (secret !== "") {
        page.start(secret);
      }
    };
    window.addEventListener("hashchange", onHash);
    const stop = () => {
      window.removeEventListener("hashchange", onHash);
      stopLanguage();
    };
    this.#open = { page, remote, stop };
  }

  #close(): void {
    const open = this.#open;
    this.#open = null;
    if (open !== null) {
      open.stop();
      open.page.close();
      open.remote.close();
      this.shadowRoot?.replaceChildren();
    }
  }

  /** The element that the page is drawn in. Its styles are its own: neither page's reach the other's. */
  #root(): HTMLElement {
    const shadow = this.shadowRoot ?? this.attachShadow({ mode: "open" });
    shadow.adoptedStyleSheets = sheets();
    const root = document.createElement("div");
    root.className = "page";
    shadow.replaceChildren(root);
    return root;
  }

  #languagePorts() {
    const chosen = this.getAttribute("language");
    return {
      wanted: chosen === null ? navigator.languages : [chosen, ...navigator.languages],
      storage: () => window.localStorage,
    };
  }
}

function newSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
}

let shared: CSSStyleSheet[] | null = null;

/** Constructed sheets, which no content security policy of the other page forbids, unlike a `<style>`. */
function sheets(): CSSStyleSheet[] {
  shared ??= [pageStyles, loginStyles].map((text) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    return sheet;
  });
  return shared;
}

if (customElements.get(TAG) === undefined) {
  customElements.define(TAG, BelvedereView);
}
