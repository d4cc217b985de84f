// The ways from the start screen to what belongs to this person; what is behind them is loaded when it is wanted.
import type { FunctionComponent } from "preact";
import { useState } from "preact/hooks";
import type { Api } from "../server/api";
import { basePath } from "../server/base-path";
import { t } from "../words/words";
import type { Access } from "./access";
import type { SessionInfo } from "./answers";

/** What a screen behind the menu is given. */
export interface AccountScreenProps {
  readonly access: Access;
  readonly api: Api;
  readonly session: SessionInfo;
  nowMs(): number;
  close(): void;
}

type Screen = FunctionComponent<AccountScreenProps>;

export interface AccountMenuProps {
  readonly access: Access;
  readonly api: Api;
  nowMs(): number;
}

export function AccountMenu({ access, api, nowMs }: AccountMenuProps) {
  const [shown, setShown] = useState<{ readonly screen: Screen } | null>(null);
  const state = access.state.value;
  if (state.kind !== "in") {
    return null;
  }
  const { session } = state;
  const show = (load: () => Promise<Screen>) => {
    load().then(
      (screen) => setShown({ screen }),
      () => {}, // the server cannot be reached: the start screen says so by itself
    );
  };
  return (
    <>
      <nav class="account-menu">
        <button type="button" class="secondary" onClick={() => show(loadDevices)}>
          {t("devices.title")}
        </button>
        {session.rights.includes("manage") && (
          <button type="button" class="secondary" onClick={() => show(loadPeople)}>
            {t("people.title")}
          </button>
        )}
        {session.rooms > 1 && (
          <a class="secondary" href={`${basePath()}/rooms`}>
            {t("rooms.menu")}
          </a>
        )}
        {session.rights.includes("room") && (
          <a class="secondary" href={`${basePath()}/room`}>
            {t("room.title")}
          </a>
        )}
      </nav>
      {shown !== null && (
        <shown.screen
          access={access}
          api={api}
          session={session}
          nowMs={nowMs}
          close={() => setShown(null)}
        />
      )}
    </>
  );
}

const loadDevices = async () => (await import("./devices-screen")).DevicesScreen;
const loadPeople = async () => (await import("./people-screen")).PeopleScreen;
