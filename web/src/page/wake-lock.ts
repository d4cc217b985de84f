// Keeps a phone's screen on while somebody watches without touching it, in browsers with the Screen Wake Lock API.

/**
 * Keeps the screen on until the returned function is called.
 *
 * Browsers release the lock when the page is hidden, so it is requested again when the page is shown.
 */
export function keepScreenOn(): () => void {
  let lock: WakeLockSentinel | null = null;
  const controller = new AbortController();
  const request = async () => {
    if (document.visibilityState !== "visible" || !("wakeLock" in navigator)) {
      return;
    }
    const granted = await navigator.wakeLock.request("screen").catch(() => null); // refused, such as on a low battery
    lock = granted;
    if (controller.signal.aborted) {
      // stopped while the request was pending
      void granted?.release();
    }
  };
  document.addEventListener("visibilitychange", () => void request(), { signal: controller.signal });
  void request();
  return () => {
    controller.abort();
    void lock?.release();
  };
}
