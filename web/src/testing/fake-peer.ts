// A peer connection and a WHEP server that the test controls.
import type { WhepPorts } from "../stage/whep";
import type { FakeTimers } from "./fake-timers";

/** The part of an RTCPeerConnection that is used. */
export class FakePeer {
  iceGatheringState: RTCIceGatheringState = "complete";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: RTCSessionDescriptionInit | null = null;
  remoteDescription: RTCSessionDescriptionInit | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  ontrack: ((event: { streams: MediaStream[]; track: object }) => void) | null = null;
  isClosed = false;
  bytesReceived = 0;
  direction = "";
  preferred: readonly RTCRtpCodec[] = [];
  /** The section for sound; `currentDirection` is what the server's answer makes of it. */
  readonly audio = {
    currentDirection: null as RTCRtpTransceiverDirection | null,
    receiver: {
      jitterBufferTarget: null as number | null,
      track: { kind: "audio" },
      transport: { state: "new" as RTCDtlsTransportState, onstatechange: null as (() => void) | null },
    },
    sent: [] as unknown[],
    sender: {
      replaceTrack: async (track: unknown) => {
        this.audio.sent.push(track);
      },
    },
  };
  readonly receiver = {
    track: { kind: "video" },
    jitterBufferTarget: null as number | null,
    transport: { state: "new" as RTCDtlsTransportState, onstatechange: null as (() => void) | null },
  };

  addTransceiver(kind: string, init: { direction: string }) {
    if (kind === "audio") {
      return this.audio;
    }
    this.direction = init.direction;
    return {
      receiver: this.receiver,
      setCodecPreferences: (codecs: readonly RTCRtpCodec[]) => {
        this.preferred = codecs;
      },
    };
  }

  getReceivers() {
    return [this.receiver, this.audio.receiver];
  }

  async getStats(): Promise<RTCStatsReport> {
    return new Map<string, object>([["T", { type: "transport", bytesReceived: this.bytesReceived }]]);
  }

  async createOffer(): Promise<RTCSessionDescriptionInit> {
    return { type: "offer", sdp: "our offer" };
  }

  async setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.localDescription = description;
  }

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (description.sdp === "nonsense") {
      throw new Error("not an SDP");
    }
    this.remoteDescription = description;
  }

  close(): void {
    this.isClosed = true;
  }

  /** The connection's state changes. */
  setConnectionState(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** The DTLS transport's state changes; a server that ends the stream closes it. */
  setTransportState(state: RTCDtlsTransportState): void {
    this.receiver.transport.state = state;
    this.receiver.transport.onstatechange?.();
  }
}

export interface Request {
  readonly path: string;
  readonly init: RequestInit;
}

/** Ports with one FakePeer and a server that answers with `answer`. */
export function fakeWhep(timers: FakeTimers, answer: () => Response | Promise<Response>) {
  const peer = new FakePeer();
  const requests: Request[] = [];
  const codec = (mimeType: string): RTCRtpCodec => ({ mimeType, clockRate: 90_000 });
  const ports: WhepPorts = {
    timers,
    fetch: async (path, init) => {
      requests.push({ path, init });
      return init.method === "DELETE" ? new Response(null) : answer();
    },
    createPeer: () => peer as unknown as RTCPeerConnection, // the part of it that is used
    codecs: () => ["video/VP8", "video/rtx", "video/H264"].map(codec),
  };
  return { peer, requests, ports };
}

/** The server's answer to an offer that it accepts. */
export const created = (headers: Record<string, string> = {}, sdp = "their answer") =>
  new Response(sdp, { status: 201, headers: { location: "/api/v1/stage/whep/abc", ...headers } });
