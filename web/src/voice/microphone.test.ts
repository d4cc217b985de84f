import { expect, test } from "vitest";
import { MicrophoneError, microphoneOpener } from "./microphone";

class FakeTrack {
  onended: (() => void) | null = null;
  isStopped = false;
  stop(): void {
    this.isStopped = true;
  }
}

class FakeContext {
  isClosed = false;
  samples = [0.1, -0.125];
  createAnalyser() {
    return {
      fftSize: 0,
      getFloatTimeDomainData: (into: Float32Array) => into.set(this.samples),
    };
  }
  createMediaStreamSource() {
    return { connect: () => {} };
  }
  async close(): Promise<void> {
    this.isClosed = true;
  }
}

function setup({ error = null as Error | null, tracks = [new FakeTrack()], hasMeter = true } = {}) {
  const context = new FakeContext();
  const asked: MediaStreamConstraints[] = [];
  const open = microphoneOpener({
    devices: {
      getUserMedia: async (constraints) => {
        asked.push(constraints ?? {});
        if (error !== null) {
          throw error;
        }
        return { getAudioTracks: () => tracks } as unknown as MediaStream;
      },
    },
    createContext: () => {
      if (!hasMeter) {
        throw new Error("no sound here");
      }
      return context as unknown as AudioContext;
    },
  });
  return { open, context, asked, tracks };
}

test("it is opened with the browser's echo cancellation, and without a camera", async () => {
  const { open, asked } = setup();
  await open(() => {});
  expect(asked).toEqual([
    { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true } },
  ]);
});

test("its level is that of the loudest sample, and closing it stops the track and the meter", async () => {
  const { open, context, tracks } = setup();
  const microphone = await open(() => {});
  expect(microphone.level()).toBeCloseTo(0.5);
  context.samples = [-1];
  expect(microphone.level()).toBe(1);
  microphone.close();
  expect([tracks[0]?.isStopped, tracks[0]?.onended, context.isClosed]).toEqual([true, null, true]);
});

test("a browser without a meter still has a microphone", async () => {
  const { open, tracks } = setup({ hasMeter: false });
  const microphone = await open(() => {});
  expect(microphone.level()).toBe(0);
  microphone.close();
  expect(tracks[0]?.isStopped).toBe(true);
});

test("its end is told", async () => {
  const { open, tracks } = setup();
  let ends = 0;
  await open(() => ends++);
  tracks[0]?.onended?.();
  expect(ends).toBe(1);
});

test.each([
  ["NotAllowedError", "denied"],
  ["SecurityError", "denied"],
  ["NotFoundError", "missing"],
  ["OverconstrainedError", "missing"],
  ["NotReadableError", "busy"],
  ["AbortError", "busy"],
])("the browser's %s means that it is %s", async (name, lack) => {
  const { open } = setup({ error: new DOMException("", name) });
  await expect(open(() => {})).rejects.toMatchObject({ lack });
});

test("a stream without sound is no microphone, and a page without https has none", async () => {
  await expect(setup({ tracks: [] }).open(() => {})).rejects.toMatchObject({ lack: "missing" });
  const open = microphoneOpener({ devices: undefined, createContext: () => new AudioContext() });
  const refused = await open(() => {}).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(MicrophoneError);
  expect(refused).toMatchObject({ lack: "insecure" });
});
