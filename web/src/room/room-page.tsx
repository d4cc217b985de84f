// The page of the tablet on the shelf: who is here, the curtain, who knocks; and behind two more tabs the visit book and
// the rules. It shows what the server says, and says so when it does not know.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { basePath } from "../server/base-path";
import type { Timers } from "../time/timers";
import { LanguageSwitch } from "../words/language-switch";
import { codeText, type PlainKey, t } from "../words/words";
import type { Chime } from "./chime";
import { listenToCurtainKeys } from "./curtain-key";
import { CurtainPanel, CurtainShortcut } from "./curtain-panel";
import { KnockQuestions } from "./knock-questions";
import { MicrophonePanel } from "./microphone-panel";
import { PeopleHere } from "./people-here";
import type { RoomApi } from "./room-api";
import type { RoomControl } from "./room-control";
import { RulesEditor } from "./rules-editor";
import { Talking } from "./talking";
import { VisitList } from "./visit-list";

export interface RoomPageProps {
  readonly control: RoomControl;
  readonly chime: Chime;
  readonly api: RoomApi;
  readonly timers: Timers;
}

const TABS = { now: "room.tab.now", book: "room.tab.book", settings: "room.tab.settings" } as const;
type Tab = keyof typeof TABS;

export function RoomPage({ control, chime, api, timers }: RoomPageProps) {
  const tab = useSignal<Tab>("now");
  useEffect(() => listenToCurtainKeys(document, () => control.curtain.close()), [control]);
  useEffect(leaveNoFocusBehind, []);
  const connection = control.connection.value;
  if (connection.kind === "ended") {
    return <Closed text={codeText("ended", connection.reason, "status.ended")} detail="ended.sign_in" />;
  }
  if (control.isForbidden.value) {
    return <Closed text={t("room.not_yours")} detail="login.need_link.detail" />;
  }
  const isAsked = (control.room.value?.knocks.length ?? 0) > 0; // then the huge button may be out of sight
  return (
    <main class="room" data-connected={control.isConnected.value} data-tab={tab.value}>
      <KnockQuestions control={control} timers={timers} />
      <Talking control={control} />
      <Offline control={control} />
      <nav class="room-tabs">
        {(Object.keys(TABS) as Tab[]).map((name) => (
          <button
            key={name}
            type="button"
            aria-current={tab.value === name ? "page" : undefined}
            onClick={() => {
              tab.value = name;
            }}
          >
            {t(TABS[name])}
          </button>
        ))}
        {(tab.value !== "now" || isAsked) && <CurtainShortcut control={control} />}
        <LanguageSwitch />
      </nav>
      {tab.value === "now" && (
        <div class="room-now">
          <PeopleHere control={control} timers={timers} />
          <div class="room-switches">
            <MicrophonePanel control={control} />
            <CurtainPanel control={control} timers={timers} />
          </div>
        </div>
      )}
      {tab.value === "book" && <VisitList api={api} timers={timers} />}
      {tab.value === "settings" && <RulesEditor api={api} />}
      <footer class="room-foot">
        <Faults control={control} />
        <ChimeButton chime={chime} />
      </footer>
    </main>
  );
}

function Closed({ text, detail }: { text: string; detail: PlainKey }) {
  return (
    <main class="room room-closed">
      <p class="room-title">{text}</p>
      <p>{t(detail)}</p>
      <a class="primary" href={`${basePath()}/`}>
        {t("login.sign_in")}
      </a>
    </main>
  );
}

function Offline({ control }: { control: RoomControl }) {
  if (control.isConnected.value) {
    return null;
  }
  const { kind, attempt } = { attempt: 0, ...control.connection.value };
  const isFirst = kind === "open" || (kind === "connecting" && attempt === 0);
  return (
    <div class="room-offline" role="alert" data-first={isFirst}>
      <strong>{t(isFirst ? "room.connecting" : "room.offline")}</strong> {t("room.offline.detail")}
    </div>
  );
}

function Faults({ control }: { control: RoomControl }) {
  const faults = control.room.value?.faults ?? [];
  return (
    <ul class="room-faults" role="status">
      {faults.map((fault) => (
        <li key={fault} data-fault={fault}>
          {codeText("fault", fault, "problem.unknown")}
        </li>
      ))}
    </ul>
  );
}

function ChimeButton({ chime }: { chime: Chime }) {
  const state = chime.state.value;
  return (
    <button
      type="button"
      class="secondary room-chime"
      data-chime={state}
      aria-pressed={state === "on"}
      onClick={() => (state === "on" ? chime.turnOff() : void chime.turnOn())}
    >
      {t(state === "asleep" ? "room.sound_tap" : state === "on" ? "room.sound_off" : "room.sound_on")}
    </button>
  );
}

/** A button that was tapped keeps the focus in some browsers, and the key that closes the curtain would press it. */
function leaveNoFocusBehind() {
  const onPointerUp = (event: PointerEvent) => {
    const button = event.target instanceof Element ? event.target.closest("button") : null;
    setTimeout(() => button?.blur());
  };
  document.addEventListener("pointerup", onPointerUp);
  return () => document.removeEventListener("pointerup", onPointerUp);
}
