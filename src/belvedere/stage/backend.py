"""The heavy half of the stage, aiortc and FFmpeg: 50 MiB and a quarter of a second, imported when first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from belvedere.stage.memory import keep_memory_small, kept_for_good
from belvedere.stage.producer import Producer

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from belvedere.stage.options import StageOptions
    from belvedere.stage.peer import PeerFactory
    from belvedere.stage.producer import ProducerListener
    from belvedere.stage.source import VideoSource


class PictureProducer(Protocol):
    """What makes the pictures; `producer.Producer` says what each of these does."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None: ...  # noqa: D102 (said there)

    def stop(self) -> None: ...  # noqa: D102 (said there)

    def abandon(self) -> None: ...  # noqa: D102 (said there)

    def request_idr(self) -> None: ...  # noqa: D102 (said there)

    def silent_s(self) -> float: ...  # noqa: D102 (said there)

    async def wait_off(self) -> bool: ...  # noqa: D102 (said there)


class ProducerFactory(Protocol):
    """Makes the one producer of a stage, turned off."""

    def __call__(
        self,
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
        /,
    ) -> PictureProducer:
        """A producer whose sources come from `source_factory`."""
        ...


class StageBackend(NamedTuple):
    """What a stage is built from."""

    peer: PeerFactory
    producer: ProducerFactory


def load_backend() -> StageBackend:
    """The real parts. Takes its time at the first call, which belongs in a thread. Raises OwnerError."""
    keep_memory_small()
    with kept_for_good():
        from belvedere.stage.direct import DirectPeer  # noqa: PLC0415 (the point of this module)
        from belvedere.stage.encoder import X264Encoder  # noqa: PLC0415 (the point of this module)

    def producer(
        source_factory: Callable[[], VideoSource],
        options: StageOptions,
        clock: Callable[[], float],
        listener: ProducerListener,
    ) -> Producer:
        return Producer(source_factory, X264Encoder, options, clock, listener)

    return StageBackend(DirectPeer, producer)
