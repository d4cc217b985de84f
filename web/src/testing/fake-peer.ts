// A peer connection and a WHEP server whose course the test decides.
import type { WhepPorts } from "../stage/whep";
import type { FakeTimers } from "./fake-timers";

/** What of an RTCPeerConnection a viewing uses. */
export class FakePeer {
  iceGatheringState: RTCIceGatheringState = "complete";
  connectionState: RTCPeerConnectionState = "new";
  localDescription: RTCSessionDescriptionInit | null = null;
  remoteDescription: RTCSessionDescriptionInit | null = null;
  onconnectionstatechange: (() => void) | null = null;
  onicecandidate: ((event: { candidate: object | null }) => void) | null = null;
  ontrack: ((event: { streams: MediaStream[]; track: object }) => void) | null = null;
  isClosed = false;
  direction = "";
  preferred: readonly RTCRtpCodec[] = [];
  readonly receiver = {
    jitterBufferTarget: null as number | null,
    transport: { state: "new" as RTCDtlsTransportState, onstatechange: null as (() => void) | null },
  };

  addTransceiver(_kind: string, init: { direction: string }) {
    this.direction = init.direction;
    return {
      receiver: this.receiver,
      setCodecPreferences: (codecs: readonly RTCRtpCodec[]) => {
        this.preferred = codecs;
      },
    };
  }

  getReceivers() {
    return [this.receiver];
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

  /** The other end: the connection's state changes. */
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }

  /** The other end: the encrypted transport's state changes; a server that ends the picture closes it. */
  becomeTransport(state: RTCDtlsTransportState): void {
    this.receiver.transport.state = state;
    this.receiver.transport.onstatechange?.();
  }
}

export interface Request {
  readonly path: string;
  readonly init: RequestInit;
}

/** Ports onto one FakePeer and a server that answers what `answer` says. */
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

/** The answer of a server that lets us in. */
export const created = (headers: Record<string, string> = {}, sdp = "their answer") =>
  new Response(sdp, { status: 201, headers: { location: "/api/v1/stage/whep/abc", ...headers } });
