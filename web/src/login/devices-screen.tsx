// Where this person is signed in, and the passkeys; each can be ended from here.
import { useEffect, useState } from "preact/hooks";
import { dateText, whenText } from "../words/times";
import { t } from "../words/words";
import { AccountDialog } from "./account-dialog";
import type { AccountScreenProps } from "./account-menu";
import type { DeviceInfo, PasskeyInfo } from "./answers";
import { Problem } from "./login-gate";

export function DevicesScreen({ access, api, session, nowMs, close }: AccountScreenProps) {
  const [devices, setDevices] = useState<readonly DeviceInfo[]>([]);
  const load = async () => {
    const answer = await api.get<readonly DeviceInfo[]>("/sessions");
    if (answer.kind === "ok") {
      setDevices(answer.value.filter((device) => device.person === session.person));
    }
  };
  const signOut = async (device: DeviceInfo) => {
    await api.delete(`/sessions/${device.id}`);
    await load();
  };
  useEffect(() => {
    void load();
    void access.loadPasskeys();
  }, []);
  return (
    <AccountDialog title={t("devices.title")} close={close}>
      <ul>
        {devices.map((device) => (
          <Device key={device.id} device={device} nowMs={nowMs()} signOut={() => void signOut(device)} />
        ))}
      </ul>
      <h3>{t("passkeys.title")}</h3>
      <ul>
        {(access.passkeys.value ?? []).map((passkey) => (
          <Passkey
            key={passkey.id}
            passkey={passkey}
            nowMs={nowMs()}
            remove={() => void access.removePasskey(passkey.id)}
          />
        ))}
      </ul>
      {access.passkeys.value?.length === 0 && <p class="account-note">{t("passkeys.none")}</p>}
      <Problem access={access} />
      {access.canUsePasskeys && (
        <button
          type="button"
          class="primary small"
          disabled={access.isBusy.value}
          onClick={() => void access.addPasskey()}
        >
          {t("passkeys.add")}
        </button>
      )}
    </AccountDialog>
  );
}

interface DeviceProps {
  readonly device: DeviceInfo;
  readonly nowMs: number;
  signOut(): void;
}

function Device({ device, nowMs, signOut }: DeviceProps) {
  return (
    <li>
      <div>
        <strong>{device.label || t("devices.unknown")}</strong>
        <p class="account-note">
          {device.is_current
            ? t("devices.this")
            : t("devices.last_used", { when: whenText(device.seen_utc_s * 1000, nowMs) })}
        </p>
      </div>
      {!device.is_current && (
        <button
          type="button"
          class="secondary"
          aria-label={t("devices.sign_out_of", { name: device.label || t("devices.unknown") })}
          onClick={signOut}
        >
          {t("devices.sign_out")}
        </button>
      )}
    </li>
  );
}

interface PasskeyProps {
  readonly passkey: PasskeyInfo;
  readonly nowMs: number;
  remove(): void;
}

function Passkey({ passkey, nowMs, remove }: PasskeyProps) {
  const { label, host, created_utc_s: created, used_utc_s: used } = passkey;
  return (
    <li>
      <div>
        <strong>{label}</strong>
        <p class="account-note">
          {host} · {t("passkeys.added", { date: dateText(created * 1000, nowMs) })} ·{" "}
          {used === null
            ? t("passkeys.never_used")
            : t("passkeys.last_used", { when: whenText(used * 1000, nowMs) })}
        </p>
      </div>
      <button
        type="button"
        class="secondary"
        aria-label={t("passkeys.remove_of", { name: label })}
        onClick={remove}
      >
        {t("passkeys.remove")}
      </button>
    </li>
  );
}
