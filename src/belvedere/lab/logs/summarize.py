"""Builds the summary of a log from its connections and statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.lab.logs.summary import (
    CharacteristicSummary,
    ConnectionSummary,
    DeviceSummary,
    LogSummary,
    ServiceSummary,
    StreamSummary,
)
from belvedere.lab.logs.values import DIRECTION_LABELS, is_host_attribute

if TYPE_CHECKING:
    from belvedere.lab.logs.attributes import AttributeTable
    from belvedere.lab.logs.connections import Connection, Connections
    from belvedere.lab.logs.extract import ValueExtractor
    from belvedere.lab.logs.reader import LogReader
    from belvedere.lab.logs.stream_stats import StreamCounter, StreamStats

NS = 1e9


def summarize(file: str, log: LogReader, extractor: ValueExtractor, counter: StreamCounter) -> LogSummary:
    """The summary, after the log was read to its end."""
    connections = extractor.connections
    return LogSummary(
        file=file,
        records=log.frames,
        packets=extractor.packets,
        error=log.error,
        lost=extractor.reassembler.lost,
        uncounted_values=counter.uncounted_values,
        devices=tuple(_devices(connections)),
        streams=tuple(_stream(stream, connections) for stream in counter.streams),
    )


def _devices(connections: Connections) -> list[DeviceSummary]:
    """In the order of their first connections."""
    of_device: list[list[Connection]] = [[] for _ in connections.devices]
    for connection in connections.all:
        of_device[connection.device].append(connection)
    return [
        DeviceSummary(
            label=device.label,
            name=device.name or next((one.bearer.name for one in own if one.bearer.name), ""),
            connections=tuple(map(_connection, own)),
            services=tuple(
                ServiceSummary(start=one.start, end=one.end, uuid=one.uuid) for one in device.table.services
            ),
            characteristics=tuple(_characteristics(device.table)),
            requested_hash=device.table.is_cached,
        )
        for device, own in zip(connections.devices, of_device, strict=True)
    ]


def _characteristics(table: AttributeTable) -> list[CharacteristicSummary]:
    return [
        CharacteristicSummary(uuid=one.uuid, handle=one.handle, properties=one.properties)
        for one in table.characteristics
    ]


def _connection(one: Connection) -> ConnectionSummary:
    return ConnectionSummary(
        handle=one.handle,
        adapter=one.adapter,
        opened_s=None if one.opened_ns is None else one.opened_ns / NS,
        closed_s=None if one.closed_ns is None else one.closed_ns / NS,
        is_central=one.is_central,
        interval_ms=one.interval_ms,
        mtu=one.bearer.mtu,
        is_encrypted=one.is_encrypted,
        reason=one.reason,
    )


def _stream(stream: StreamStats, connections: Connections) -> StreamSummary:
    device = connections.devices[stream.device]
    is_own = is_host_attribute(stream.direction, stream.opcode)
    table = connections.host_tables.get(stream.adapter) if is_own else device.table
    uuid = table.uuid_of(stream.handle, stream.last_frame) if table else None
    uuids = table.uuids_of(stream.handle, stream.first_frame, stream.last_frame) if table else []
    return StreamSummary(
        device=device.label,
        direction=DIRECTION_LABELS[stream.direction],
        opcode=stream.opcode,
        handle=stream.handle,
        uuid=uuid,
        earlier_uuids=tuple(one for one in uuids if one != uuid),
        is_host_attribute=is_own,
        count=stream.count,
        truncated=stream.truncated,
        median_interval_s=stream.median_interval_s,
        shortest=stream.shortest,
        longest=stream.longest,
        first_frame=stream.first_frame,
        last_frame=stream.last_frame,
        first_s=stream.first_ns / NS,
        last_s=stream.last_ns / NS,
        first=stream.first,
        last=stream.last,
    )
