"""The command as a person runs it: a process that prints a link, and ends when asked to."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from belvedere.cli.demo import demo
from belvedere.errors import OwnerError

COMMAND = [sys.executable, "-m", "belvedere.cli", "demo", "--no-browser", "--port"]


@pytest.mark.realtime
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_demo_prints_one_link_that_opens_and_ends_well_when_asked(number: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "0"], stdout=subprocess.PIPE, text=True, env={**os.environ, "LC_ALL": "C"}
    ) as process:
        assert process.stdout is not None
        links = (re.search(r"http://\S+/join#\S+", line) for line in process.stdout)
        link = next(found[0] for found in links if found)
        page = urllib.request.urlopen(link.partition("/join#")[0] + "/readyz")  # noqa: S310 - our own server
        assert page.status == 200
        process.send_signal(number)
        assert process.wait(30) == 0


@pytest.mark.realtime
def test_a_port_in_use_is_reported_as_such() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(OwnerError, match="cannot listen"):
        demo(port=taken.getsockname()[1], browser=False)
