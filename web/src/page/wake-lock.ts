// Keeps a phone's screen from going dark while somebody looks without touching it, where the browser lets us.

/** Until the returned function is called. The lock is lost whenever the page is hidden, and asked for again. */
export function keepAwake(): () => void {
  let lock: WakeLockSentinel | null = null;
  const off = new AbortController();
  const ask = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) {
      return;
    }
    const granted = await navigator.wakeLock.request("screen").catch(() => null); // a low battery says no
    lock = granted;
    if (off.signal.aborted) {
      void granted?.release();
    }
  };
  document.addEventListener("visibilitychange", () => void ask(), { signal: off.signal });
  void ask();
  return () => {
    off.abort();
    void lock?.release();
  };
}
