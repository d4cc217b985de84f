"""A page of another site shows the picture with somebody else's WHEP player (npm's whip-whep), unchanged."""

from __future__ import annotations

import contextlib
import functools
import http.server
import threading
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
from tests.support.serving import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.realtime, pytest.mark.browser]

PLAYER = Path(__file__).parents[2] / "web/node_modules/whip-whep/whep.js"
TOKEN = "a-token-of-the-foreign-page"  # noqa: S105 (of a server that lives for seconds)
PAGE = """<!doctype html><video autoplay muted playsinline></video><script type="module">
import { WHEPClient } from "/whep.js";
const video = document.querySelector("video");
const client = new WHEPClient();
window.watch = async (url, token, kinds, bundlePolicy) => {
  const connection = new RTCPeerConnection({ bundlePolicy });
  for (const kind of kinds) connection.addTransceiver(kind, { direction: "recvonly" });
  connection.ontrack = ({ track }) => { if (track.kind === "video") video.srcObject = new MediaStream([track]); };
  await client.view(connection, url, token);
  await new Promise((done) => video.requestVideoFrameCallback(done));
  return [video.videoWidth, video.videoHeight];
};
window.stop = () => client.stop();
document.body.dataset.ready = "yes";
</script>"""


class Files(http.server.BaseHTTPRequestHandler):
    """The page and the player."""

    content: ClassVar = {"/": ("text/html", PAGE), "/whep.js": ("text/javascript", PLAYER.read_text(encoding="utf-8"))}

    def do_GET(self) -> None:
        kind, text = self.content.get(self.path, ("text/plain", ""))
        self.send_response(200 if text else 404)
        self.send_header("content-type", kind)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None: ...


@contextlib.contextmanager
def foreign_page() -> Iterator[str]:
    """The origin of another site's page."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=functools.partial(server.serve_forever, 0.05), daemon=True).start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize(
    ("kinds", "policy"), [(["video"], "balanced"), (["audio", "video"], "balanced"), (["audio", "video"], "max-bundle")]
)
def test_a_foreign_page_watches_with_a_token_and_leaves(
    browser: Browser, tmp_path: Path, kinds: list[str], policy: str
) -> None:
    with foreign_page() as origin:
        settings = (
            f'[access]\nfrontends = ["{origin}"]\n[[access.players]]\nname = "site"\ntoken_file = "token"\n'
            '[camera]\nkind = "pattern"\n[stage]\nwidth = 640\nheight = 352\n'
        )
        with serving(tmp_path, settings, {"token": TOKEN}) as address:
            page = browser.new_page()
            errors: list[object] = []
            page.on("pageerror", lambda error: errors.append(error))  # noqa: PLW0108 (playwright wants a function)
            page.goto(origin)
            page.wait_for_selector("body[data-ready]")
            watching = "([url, token, kinds, policy]) => window.watch(url, token, kinds, policy)"
            size = page.evaluate(watching, [f"{address}/api/v1/stage/whep", TOKEN, kinds, policy])
            assert size == [640, 352]
            page.evaluate("() => window.stop()")
            page.close()
    assert errors == []
    log = (tmp_path / "log").read_text(encoding="utf-8")
    assert "watches by WebRTC (session player-site)" in log
    assert "stopped watching" in log
