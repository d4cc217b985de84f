"""The picture by way of a relay: Debian's coturn, Debian's Chromium, and a server whose credentials both believe."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from benchmarks.browser import chromium, open_page, page_of
from benchmarks.serving import serving
from tests.support.turn_server import TurnServer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = [pytest.mark.interop, pytest.mark.realtime]

WAYS = ("udp", "tcp", "tls")
CONNECT_TIMEOUT_MS = 10_000
WATCH = """async ([policy, password, timeoutMs]) => {
  const link = (await fetch("/api/v1/stage/whep", { method: "OPTIONS" })).headers.get("link") ?? "";
  const iceServers = [...link.matchAll(/<([^>]+)>; rel="ice-server"; username="([^"]+)"; credential="([^"]+)"/g)].map(
    ([, urls, username, credential]) => ({ urls, username, credential: password ?? credential }));
  const peer = window.peer = new RTCPeerConnection({ iceServers, iceTransportPolicy: policy });
  const errors = [];
  peer.onicecandidateerror = ({ errorCode, errorText }) => errors.push(`${errorCode} ${errorText}`);
  const video = document.createElement("video");
  Object.assign(video, { muted: true, autoplay: true });
  peer.ontrack = ({ streams }) => { video.srcObject = streams[0]; };
  document.body.append(video);
  const transceiver = peer.addTransceiver("video", { direction: "recvonly" });
  transceiver.setCodecPreferences(
    RTCRtpReceiver.getCapabilities("video").codecs.filter(({ mimeType }) => /H264|rtx/.test(mimeType)));
  const gathered = new Promise((done) => {
    peer.onicegatheringstatechange = () => peer.iceGatheringState === "complete" && done();
  });
  await peer.setLocalDescription();
  await Promise.race([gathered, new Promise((done) => setTimeout(done, timeoutMs))]);
  const sdp = peer.localDescription.sdp;
  const answer = await fetch("/api/v1/stage/whep", {
    method: "POST", body: sdp, headers: { "content-type": "application/sdp" } });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  await peer.setRemoteDescription({ type: "answer", sdp: await answer.text() });
  const frames = new Promise((done) => video.requestVideoFrameCallback(() => done(true)));
  const isSeen = await Promise.race([frames, new Promise((done) => setTimeout(() => done(false), timeoutMs))]);
  const stats = [...(await peer.getStats()).values()];
  const transport = stats.find(({ type }) => type === "transport");
  const pair = stats.find(({ id }) => id === transport?.selectedCandidatePairId);
  const local = stats.find(({ id }) => id === pair?.localCandidateId);
  return { isSeen, errors, kind: local?.candidateType ?? null, relayProtocol: local?.relayProtocol ?? null,
           offered: (sdp.match(/typ relay/g) ?? []).length };
}"""


@pytest.fixture
def relay(tmp_path: Path) -> Iterator[TurnServer]:
    with TurnServer(tmp_path) as server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium("--ignore-certificate-errors") as browser:
        yield browser


def stage(relay: TurnServer, way: str) -> str:
    return f'turn.kind = "coturn"\nturn.urls = ["{relay.url(way)}"]\nturn.secret_file = "{relay.secret_file}"'


def watch(page: Page, policy: str, password: str | None = None) -> dict[str, Any]:
    seen: dict[str, Any] = page.evaluate(WATCH, [policy, password, CONNECT_TIMEOUT_MS])
    return seen


@pytest.mark.parametrize("way", WAYS)
def test_a_browser_that_may_use_nothing_but_the_relay_sees_the_picture(
    relay: TurnServer, browser: Browser, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(relay.certificate))  # what our own connection trusts
    with serving(stage=stage(relay, way)) as server, page_of(browser) as page:
        open_page(page, server)
        seen = watch(page, "relay")
    assert seen["isSeen"], f"{seen}\n{relay.log()[-3000:]}"
    assert (seen["kind"], seen["relayProtocol"]) == ("relay", way)


def test_a_browser_whose_password_is_wrong_is_told_so_and_connects_without_the_relay(
    relay: TurnServer, browser: Browser
) -> None:
    with serving(stage=stage(relay, "udp")) as server, page_of(browser) as page:
        open_page(page, server)
        seen = watch(page, "all", "wrong")
    assert seen["isSeen"]
    assert seen["kind"] != "relay"
    assert seen["offered"] == 0
    assert any(error.startswith("401") for error in seen["errors"])
