// The browser's microphone: asked for when somebody taps to talk, and stopped when that is over.

/** Why there is no microphone. */
export type MicrophoneLack =
  | "denied" // by the visitor or by the browser's settings
  | "missing" // none is connected
  | "busy" // another program has it, or it does not work
  | "insecure"; // browsers offer one only on pages with https

export class MicrophoneError extends Error {
  readonly lack: MicrophoneLack;

  constructor(lack: MicrophoneLack, cause?: unknown) {
    super(lack, { cause });
    this.lack = lack;
  }
}

export interface Microphone {
  readonly track: MediaStreamTrack;
  /** How loud it is at this moment, from 0 to 1. */
  level(): number;
  /** Stops it: the browser's own sign that it is in use goes out. */
  close(): void;
}

/** `onEnded` is called if it is unplugged, or taken away. Rejects with MicrophoneError. */
export type OpenMicrophone = (onEnded: () => void) => Promise<Microphone>;

/** Without these a visitor with loudspeakers would send the room's own sound back. */
const CONSTRAINTS: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};
/** Samples of one measurement: at 48 kHz the last 5 ms. */
const SAMPLES = 256;
/** A voice at this distance from the middle is as loud as the meter shows. */
const FULL_SCALE = 0.25;

export interface MicrophonePorts {
  readonly devices: Pick<MediaDevices, "getUserMedia"> | undefined;
  createContext(): AudioContext;
}

/** Opens microphones of this browser. */
export function microphoneOpener({ devices, createContext }: MicrophonePorts): OpenMicrophone {
  return async (onEnded) => {
    if (devices === undefined) {
      throw new MicrophoneError("insecure");
    }
    const stream = await devices.getUserMedia(CONSTRAINTS).catch((error: unknown) => {
      throw new MicrophoneError(lackOf(error), error);
    });
    const [track] = stream.getAudioTracks();
    if (track === undefined) {
      throw new MicrophoneError("missing");
    }
    track.onended = onEnded;
    const meter = openMeter(stream, createContext);
    return {
      track,
      level: meter.level,
      close: () => {
        track.onended = null;
        track.stop();
        meter.close();
      },
    };
  };
}

function lackOf(error: unknown): MicrophoneLack {
  switch (error instanceof Error || error instanceof DOMException ? error.name : "") {
    case "NotAllowedError":
    case "SecurityError":
      return "denied";
    case "NotFoundError":
    case "OverconstrainedError":
      return "missing";
    default:
      return "busy";
  }
}

interface Meter {
  level(): number;
  close(): void;
}

const NO_METER: Meter = { level: () => 0, close: () => {} };

/** Looks at a few samples when it is asked; a browser that refuses shows no level, and the voice is sent all the same. */
function openMeter(stream: MediaStream, createContext: () => AudioContext): Meter {
  try {
    const context = createContext();
    const analyser = context.createAnalyser();
    analyser.fftSize = SAMPLES;
    context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(SAMPLES);
    return {
      level: () => {
        analyser.getFloatTimeDomainData(samples);
        return Math.min(1, Math.max(...samples.map(Math.abs)) / FULL_SCALE);
      },
      close: () => void context.close().catch(() => {}),
    };
  } catch {
    return NO_METER;
  }
}
