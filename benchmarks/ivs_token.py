"""How long a page waits for a token of Amazon IVS: signed here, or asked of AWS, without the way there."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import os
import threading
import time
from typing import TYPE_CHECKING

from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import AwsApi, create_client
from belvedere.stage.ivs.signed_tokens import SignedTokens, new_key_pem
from belvedere.stage.ivs_options import IvsOptions
from benchmarks.report import Result, compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROUNDS = 5
TOKENS = 200  # each round
BUDGET_MS = 2.0
ACCOUNT = "arn:aws:ivs:eu-central-1:123456789012"


def run() -> list[Result]:
    """Measure both in turn."""
    ours, rival = [], []
    signed = _signed()
    with _asked() as asked:
        for _ in range(ROUNDS):
            ours.append(_ms_each(signed))
            rival.append(_ms_each(asked))
    return [
        compare(
            "ivs-token",
            "a viewer's token for Amazon IVS, signed by ES384",
            "ms",
            ours=ours,
            rival=rival,
            rival_is="create_participant_token by boto3, over HTTP to this computer instead of TLS to AWS",
            budget=BUDGET_MS,
        )
    ]


def _ms_each(make: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(TOKENS):
        make()
    return (time.perf_counter() - began) * 1000 / TOKENS


def _signed() -> Callable[[], object]:
    options = IvsOptions(
        stage_arn=f"{ACCOUNT}:stage/AbCdEfGhIjKl",
        key=Secret(new_key_pem()),
        key_arn=f"{ACCOUNT}:public-key/01234567",
        events_url="wss://global.events.live-video.net",
        whip_url="https://global.whip.live-video.net",
    )
    tokens = SignedTokens(options)
    tokens.load()
    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(tokens.viewer_token())


class _Aws(http.server.BaseHTTPRequestHandler):
    """Answers every request with a token, at once."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        content = b'{"participantToken": {"participantId": "p", "token": "t"}}'
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(content)}\r\n\r\n"
        self.wfile.write(head.encode() + content)  # in one packet

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextlib.contextmanager
def _asked() -> Iterator[Callable[[], object]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Aws) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{server.server_port}"
        try:
            client = create_client("eu-central-1", "AKIAIOSFODNN7EXAMPLE", "a-secret")
            api = AwsApi(lambda: client)
            yield lambda: api.create_token(f"{ACCOUNT}:stage/AbCdEfGhIjKl", "SUBSCRIBE", {}, None)
            client.close()
        finally:
            del os.environ["AWS_ENDPOINT_URL"]
            server.shutdown()
            serving.join()
