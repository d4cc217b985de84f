"""Every operation that the API describes is asked at random, by somebody who may do everything, and keeps its word."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import threading
from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import given, settings
from schemathesis.specs.openapi.checks import ignored_auth, positive_data_acceptance
from tests.support.engine_rig import open_rig

from belvedere.gateway.app import create_app
from belvedere.gateway.connection_limits import ConnectionLimits
from belvedere.gateway.local_socket import LocalApp
from belvedere.gateway.server import listen, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

logger = logging.getLogger(__name__)
EXAMPLES = int(os.environ.get("BELVEDERE_EXAMPLES", "15"))  # of each operation; 300 take minutes


def unhurried() -> ConnectionLimits:
    """Limits that count each request as another person's: the random requests exceed the rate of one."""
    numbers = itertools.count()
    return ConnectionLimits(lambda _headers: str(next(numbers)))


@pytest.fixture(scope="module")
def described() -> Iterator[Any]:
    """The API of a server that runs from a thread; each request has the session of the computer's own shell."""
    (socket,) = listen("127.0.0.1", 0)
    started, over = threading.Event(), threading.Event()

    async def be_served() -> None:
        async with open_rig() as rig:
            app: Any = LocalApp(create_app(rig.dependencies()).routes)
            serving = asyncio.create_task(serve(app, [socket], started.set, unhurried()))
            await asyncio.to_thread(over.wait)
            serving.cancel()
            await asyncio.wait({serving})

    thread = threading.Thread(target=lambda: asyncio.run(be_served()))
    thread.start()
    assert started.wait(10)
    url = f"http://127.0.0.1:{socket.getsockname()[1]}/schema/openapi.json"
    yield schemathesis.openapi.from_url(url, config=schemathesis.Config.from_dict({"seed": 1}))
    over.set()
    thread.join(10)


@schemathesis.serializer("application/sdp")
def as_sdp(_: object, value: object) -> bytes:
    return str(value).encode(errors="surrogatepass")


@pytest.mark.realtime
def test_each_operation_does_what_the_api_description_says(described: Any) -> None:  # noqa: ANN401 - schemathesis' schema
    failures: dict[str, BaseException] = {}
    operations = [each.ok() for each in described.get_all_operations()]
    assert len(operations) > 20
    for operation in operations:

        @given(operation.as_strategy())
        @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, database=None)
        def whatever_is_asked(case: Any) -> None:  # noqa: ANN401 - schemathesis' case
            # Nobody is asked for a proof here; and what fits a schema may still be no valid offer, key or challenge.
            case.call_and_validate(excluded_checks=[ignored_auth, positive_data_acceptance])

        try:
            whatever_is_asked()
        except (Exception, BaseExceptionGroup) as failure:
            failures[f"{operation.method.upper()} {operation.path}"] = failure
            logger.exception("%s %s", operation.method.upper(), operation.path)
    assert not list(failures)
