// Keeps a picture of this moment: asks the server for one from the camera itself, and saves it on this device.
import type { Timers } from "../time/timers";

export const STILLS_PATH = "/api/v1/stage/stills";
/** The server gives up on a camera after ten seconds. */
const TIMEOUT_MS = 12_000;
/** How long a file stays available to a browser that asks its user where to put it. */
const KEEP_MS = 60_000;

/** Why there is no picture to keep. */
export type StillFailure =
  | "not_watching" // only those who watch may
  | "too_fast" // too many at once
  | "no_picture" // the camera delivers none
  | "offline"; // the server did not answer, or answered something else

export class StillError extends Error {
  readonly failure: StillFailure;

  constructor(failure: StillFailure, cause?: unknown) {
    super(failure, { cause });
    this.failure = failure;
  }
}

/** `needs_tap`: the browser wants another tap before it saves anything. */
export type SaveResult = "saved" | "cancelled" | "needs_tap";

export interface StillPorts {
  fetch(path: string, init: RequestInit): Promise<Response>;
  /** Offers the file to the apps of this device, as a promise as of `navigator.share`; null where that is not the way. */
  readonly share: ((file: File) => Promise<void>) | null;
  /** Saves the file at `address` under this name. */
  download(address: string, name: string): void;
}

/** Takes a still. Rejects with StillError. */
export async function takeStill(ports: StillPorts, timers: Timers): Promise<File> {
  const timeout = new AbortController();
  const cancel = timers.after(TIMEOUT_MS, () => timeout.abort());
  try {
    const response = await ports.fetch(STILLS_PATH, {
      method: "POST",
      headers: { accept: "image/jpeg" },
      signal: timeout.signal,
    });
    if (!response.ok) {
      throw new StillError(await readFailure(response));
    }
    const image = await response.blob();
    return new File([image], nameIn(response.headers.get("content-disposition")), { type: image.type });
  } catch (error) {
    throw error instanceof StillError ? error : new StillError("offline", error);
  } finally {
    cancel();
  }
}

/** Saves a file; call it within the handler of a tap where the browser offers to share, or as soon after it as possible. */
export async function saveFile(file: File, ports: StillPorts, timers: Timers): Promise<SaveResult> {
  if (ports.share !== null) {
    try {
      await ports.share(file);
      return "saved";
    } catch (error) {
      switch (error instanceof DOMException ? error.name : "") {
        case "AbortError":
          return "cancelled"; // closed by the visitor
        case "NotAllowedError":
          return "needs_tap"; // the tap is too long ago
        default: // sharing does not work here: a download may
      }
    }
  }
  const address = URL.createObjectURL(file);
  ports.download(address, file.name);
  timers.after(KEEP_MS, () => URL.revokeObjectURL(address));
  return "saved";
}

/**
 * The browser's own ways. On an iPhone or iPad a download ends in a folder that few people know, so the picture is shared,
 * which offers to put it with the photographs; only their browsers know `navigator.standalone`.
 */
export function browserStillPorts(request: StillPorts["fetch"]): StillPorts {
  const isApplePhone = "standalone" in navigator && navigator.maxTouchPoints > 0;
  const probe = new File([], "probe.jpg", { type: "image/jpeg" });
  const canShare = isApplePhone && navigator.canShare?.({ files: [probe] }) === true;
  return {
    fetch: request,
    share: canShare ? (file) => navigator.share({ files: [file] }) : null,
    download: (address, name) => {
      const link = document.createElement("a");
      link.href = address;
      link.download = name;
      link.click();
    },
  };
}

async function readFailure(response: Response): Promise<StillFailure> {
  const problem: unknown = await response.json().catch(() => null);
  const code = typeof problem === "object" && problem !== null && "code" in problem ? problem.code : null;
  return code === "not_watching" || code === "too_fast" || code === "no_picture" ? code : "offline";
}

function nameIn(disposition: string | null): string {
  return /filename="([\w.+-]+)"/.exec(disposition ?? "")?.[1] ?? "belvedere.jpg";
}
