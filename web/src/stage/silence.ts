// Notices that nothing arrives on a connection any more, long before the browser calls it disconnected.
import type { Cancel, Timers } from "../time/timers";

/** Even without a picture to send, the server sends a report every 1.5 s at least: such a silence is a dead path. */
export const SILENCE_MS = 1700;
const CHECK_INTERVAL_MS = 250;
/** A check that comes this late means that the page or the computer was asleep, so the silence means nothing. */
const LATE_CHECK_MS = 800;

type Statistics = Pick<RTCPeerConnection, "getStats">;

/** Calls `onSilence` once if a connection that has received something receives nothing more; returns how to stop. */
export function watchSilence(timers: Timers, peer: Statistics, onSilence: () => void): Cancel {
  let isWatching = true;
  let received = 0;
  let heardAtMs = timers.now();
  let checkedAtMs = heardAtMs;
  let cancel: Cancel = () => {};
  const check = async () => {
    const now = await bytesReceived(peer).catch(() => null);
    if (!isWatching) {
      return;
    }
    const nowMs = timers.now();
    if (now === null || now === 0 || now !== received || nowMs - checkedAtMs > LATE_CHECK_MS) {
      heardAtMs = nowMs;
    }
    received = now ?? received;
    checkedAtMs = nowMs;
    if (nowMs - heardAtMs >= SILENCE_MS) {
      isWatching = false;
      onSilence();
      return;
    }
    cancel = timers.after(CHECK_INTERVAL_MS, () => void check());
  };
  cancel = timers.after(CHECK_INTERVAL_MS, () => void check());
  return () => {
    isWatching = false;
    cancel();
  };
}

/** Over all its transports; null if the browser does not tell. */
async function bytesReceived(peer: Statistics): Promise<number | null> {
  let sum: number | null = null;
  for (const entry of (await peer.getStats()).values()) {
    if (entry.type === "transport" && typeof entry.bytesReceived === "number") {
      sum = (sum ?? 0) + entry.bytesReceived;
    }
  }
  return sum;
}
