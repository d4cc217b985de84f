"""What the Bluetooth commands share, and that they always end."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from belvedere.cli.adapter import opened_adapter, run, virtual_head
from belvedere.head.profile import shipped_profile
from belvedere.lab.adapter import Adapter

PROFILE = shipped_profile("zeapon-pons-pt")


async def test_this_computers_adapter_goes_by_its_name() -> None:
    async with opened_adapter("hci1", None) as adapter:
        assert adapter == Adapter(name="hci1")


async def test_a_head_that_does_not_exist_brings_its_own_adapter() -> None:
    async with opened_adapter(None, PROFILE) as adapter:
        assert adapter.client_backend is not None
        assert adapter.scanner_backend is not None


async def test_a_head_that_does_not_exist_tells_its_angle() -> None:
    async with virtual_head(PROFILE) as (_adapter, head):
        assert head.pan.angle_deg == 0


def test_a_command_ends_with_its_status() -> None:
    async def command() -> int:
        return 7

    assert run(command()) == 7


@pytest.mark.realtime
def test_a_call_that_ignores_its_own_cancelling_does_not_keep_the_shell_waiting() -> None:
    script = """
        import asyncio
        from belvedere.cli.adapter import run

        async def stubborn():
            while True:
                try:
                    await asyncio.sleep(100)
                except asyncio.CancelledError:
                    pass

        async def command():
            global kept
            kept = asyncio.create_task(stubborn())
            await asyncio.sleep(0.1)
            print("said")
            return 5

        run(command())
    """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (5, "said\n")
