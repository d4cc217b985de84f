"""Turns what was counted and followed in a log into findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from belvedere.lab.logs.findings import (
    CharacteristicFound,
    ConnectionFound,
    DeviceFound,
    Findings,
    ServiceFound,
    StreamFound,
)
from belvedere.lab.logs.values import DIRECTION_WORDS, is_ours

if TYPE_CHECKING:
    from belvedere.lab.logs.attributes import Table
    from belvedere.lab.logs.connections import Connection, Connections
    from belvedere.lab.logs.follow import Follower
    from belvedere.lab.logs.opening import Log
    from belvedere.lab.logs.tally import Stream, Tally

NS = 1e9


def findings_of(file: str, log: Log, follower: Follower, tally: Tally) -> Findings:
    """Everything, once the log was read."""
    connections = follower.connections
    return Findings(
        file=file,
        records=log.frames,
        packets=follower.packets,
        trouble=log.trouble,
        lost=follower.assembly.lost,
        streams_left_out=tally.left_out,
        devices=tuple(_devices(connections)),
        streams=tuple(_stream(stream, connections) for stream in tally.streams),
    )


def _devices(connections: Connections) -> list[DeviceFound]:
    """In the order in which they appeared."""
    of_device: list[list[Connection]] = [[] for _ in connections.devices]
    for connection in connections.all:
        of_device[connection.device].append(connection)
    return [
        DeviceFound(
            label=device.label,
            name=device.name or next((one.bearer.name for one in those if one.bearer.name), ""),
            connections=tuple(map(_connection, those)),
            services=tuple(ServiceFound(start=one.start, end=one.end, uuid=one.uuid) for one in device.table.services),
            characteristics=tuple(_characteristics(device.table)),
            asked_hash=device.table.is_cached,
        )
        for device, those in zip(connections.devices, of_device, strict=True)
    ]


def _characteristics(table: Table) -> list[CharacteristicFound]:
    return [
        CharacteristicFound(uuid=one.uuid, handle=one.handle, properties=one.properties)
        for one in table.characteristics
    ]


def _connection(one: Connection) -> ConnectionFound:
    return ConnectionFound(
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


def _stream(stream: Stream, connections: Connections) -> StreamFound:
    device = connections.devices[stream.device]
    is_own = is_ours(stream.direction, stream.opcode)
    table = connections.ours.get(stream.adapter) if is_own else device.table
    uuid = table.uuid_of(stream.handle, stream.last_frame) if table else None
    uuids = table.uuids_of(stream.handle, stream.first_frame, stream.last_frame) if table else []
    return StreamFound(
        device=device.label,
        direction=DIRECTION_WORDS[stream.direction],
        opcode=stream.opcode,
        handle=stream.handle,
        uuid=uuid,
        earlier_uuids=tuple(one for one in uuids if one != uuid),
        is_ours=is_own,
        count=stream.count,
        cut=stream.cut,
        cadence_s=stream.cadence_s,
        shortest=stream.shortest,
        longest=stream.longest,
        first_frame=stream.first_frame,
        last_frame=stream.last_frame,
        first_s=stream.first_ns / NS,
        last_s=stream.last_ns / NS,
        first=stream.first,
        last=stream.last,
    )
