// The rooms that this person may enter now, each with what it says; a tap goes there.
import { Arch } from "../page/arch";
import { basePath } from "../server/base-path";
import { LanguageSwitch } from "../words/language-switch";
import { type PlainKey, t } from "../words/words";
import type { RoomList, RoomListState, RoomRow, RoomState } from "./room-list";

export function RoomsPage({ list }: { readonly list: RoomList }) {
  return (
    <main class="rooms">
      <LanguageSwitch />
      <div class="rooms-content">
        <Arch />
        <h1>{t("rooms.title")}</h1>
        <Content state={list.state.value} list={list} />
      </div>
    </main>
  );
}

function Content({ state, list }: { readonly state: RoomListState; readonly list: RoomList }) {
  switch (state.kind) {
    case "loading":
      return <Note text="rooms.asking" />;
    case "ended":
      return (
        <>
          <Note text="status.ended" />
          <a class="primary" href={`${basePath()}/`}>
            {t("login.sign_in")}
          </a>
        </>
      );
    case "offline":
      return (
        <>
          <Note text="status.stop_lost" />
          <Again list={list} />
        </>
      );
    case "known":
      return <Known rows={state.rows} isAsking={state.isAsking} list={list} />;
  }
}

interface KnownProps {
  readonly rows: readonly RoomRow[];
  readonly isAsking: boolean;
  readonly list: RoomList;
}

function Known({ rows, isAsking, list }: KnownProps) {
  const isAnyAway = rows.some(({ state }) => state === "unreachable");
  return (
    <>
      <ul>
        {rows.map((row) => (
          <li key={row.url}>
            <Room row={row} />
          </li>
        ))}
      </ul>
      {isAsking && rows.length === 0 && <Note text="rooms.asking" />}
      {!isAsking && rows.length === 0 && <Note text="rooms.none" />}
      {!isAsking && (isAnyAway || rows.length === 0) && <Again list={list} />}
    </>
  );
}

const STATES = {
  open: ["rooms.open", "dot-good"],
  curtain: ["access.curtain", "dot-off"],
  knock: ["problem.not_welcomed", "dot-busy"],
  waiting: ["access.waiting", "dot-busy"],
  refused: ["access.refused", "dot-off"],
  quiet: ["access.quiet", "dot-off"],
  unreachable: ["rooms.unreachable", "dot-bad"],
} as const satisfies Record<RoomState, readonly [text: PlainKey, dot: string]>;

function Room({ row }: { readonly row: RoomRow }) {
  const [text, dot] = STATES[row.state] ?? STATES.open; // a later server may say more
  const content = (
    <>
      <span class="rooms-name">{row.name}</span>
      <span class="rooms-state">
        <span class={`dot ${dot}`} /> {t(text)}
      </span>
    </>
  );
  return row.state === "unreachable" ? (
    <div class="rooms-room" data-state={row.state}>
      {content}
    </div>
  ) : (
    <a class="rooms-room" data-state={row.state} href={`${row.url}/`}>
      {content}
    </a>
  );
}

function Note({ text }: { readonly text: PlainKey }) {
  return (
    <p class="rooms-note" role="status">
      {t(text)}
    </p>
  );
}

function Again({ list }: { readonly list: RoomList }) {
  return (
    <button type="button" class="secondary" onClick={() => void list.refresh()}>
      {t("action.try_again")}
    </button>
  );
}
