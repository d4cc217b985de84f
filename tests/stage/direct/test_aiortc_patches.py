from __future__ import annotations

import asyncio
import inspect
import itertools
import types
from typing import Any

import pytest
from aioice import ice
from aiortc import RTCConfiguration, RTCPeerConnection, codecs, rtcrtpsender, rtp
from aiortc.mediastreams import MediaStreamError
from aiortc.rtcdtlstransport import SRTP_PROFILES
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from OpenSSL import SSL

from belvedere.errors import OwnerError
from belvedere.stage.direct import aiortc_patches as patches
from belvedere.stage.direct.answer import RTP_WRAP
from belvedere.stage.direct.rtp_payloads import SharedPayloads
from belvedere.stage.frames import EncodedFrame
from belvedere.stage.hub import Subscriber

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"


def sent_as(origin: int, timestamp: int) -> int:
    """The timestamp that aiortc's sender would send."""
    return int(vars(rtcrtpsender)["uint32_add"](origin, timestamp))


class Sender:
    """The part of aiortc's sender that is patched."""

    def __init__(self) -> None:
        self._RTCRtpSender__rtp_header_extensions_map = rtp.HeaderExtensionsMap()
        self._RTCRtpSender__rtp_history: dict[int, rtp.RtpPacket] = {}

        self._RTCRtpSender__lsr: int | None = None
        self.reports: list[rtp.AnyRtcpPacket] = []

    async def _next_encoded_frame(self, _codec: object) -> rtcrtpsender.RTCEncodedFrame:
        raise NotImplementedError

    async def _send_rtcp(self, packets: list[rtp.AnyRtcpPacket]) -> None:
        self.reports += packets


def extensions(*ids: tuple[int, str]) -> patches.ViewerExtensions:
    mapped = patches.ViewerExtensions()
    mapped.configure(
        RTCRtpParameters(headerExtensions=[RTCRtpHeaderExtensionParameters(id=number, uri=uri) for number, uri in ids])
    )
    return mapped


@pytest.mark.parametrize("version", ["1.16", "1.16.0", "1.16.4"])
def test_the_version_they_were_written_for_is_accepted(version: str) -> None:
    patches.check_version(version)


@pytest.mark.parametrize("version", ["1.15.0", "1.17.0", "1.160.0", "2.0", ""])
def test_another_version_is_refused_with_what_to_do(version: str) -> None:
    with pytest.raises(OwnerError, match=r"pip install 'aiortc==1\.16"):
        patches.check_version(version)


def test_a_name_that_is_gone_is_refused_instead_of_set() -> None:
    owner = types.SimpleNamespace(kept=1)
    patches.replace(owner, "kept", 2)
    assert owner.kept == 2
    with pytest.raises(OwnerError, match="renamed"):
        patches.replace(owner, "renamed", 2)
    assert not hasattr(owner, "renamed")


def test_importing_applies_them_once() -> None:
    uris = [extension.uri for extension in codecs.HEADER_EXTENSIONS["video"]]
    ids = [extension.id for kind in codecs.HEADER_EXTENSIONS.values() for extension in kind if extension.uri != MID]
    assert uris.count(patches.PLAYOUT_DELAY_URI) == 1
    assert len(ids) == len(set(ids))
    assert vars(rtcrtpsender)["RTP_HISTORY_SIZE"] == patches.HISTORY_PACKETS


def test_an_absolute_timestamp_is_sent_unchanged_and_others_as_before() -> None:
    assert sent_as(77, patches.AbsoluteTimestamp(5)) == 5
    assert sent_as(77, 5) == 82
    assert sent_as(RTP_WRAP - 1, 5) == 4


@pytest.mark.parametrize(("number", "mid"), [(5, 1), (14, 1), (20, 1), (3, 30)])
def test_a_packet_asks_to_be_shown_at_once_whatever_ids_were_negotiated(number: int, mid: int) -> None:
    profile, packed = extensions((number, patches.PLAYOUT_DELAY_URI), (mid, MID)).set(rtp.HeaderExtensions(mid="0"))
    assert len(packed) % 4 == 0
    assert dict(rtp.unpack_header_extensions(profile, packed)) == {number: b"\0\0\0", mid: b"0"}


def test_without_the_negotiated_extension_a_packet_is_as_aiortc_makes_it() -> None:
    profile, packed = extensions((1, MID)).set(rtp.HeaderExtensions(mid="0"))
    assert dict(rtp.unpack_header_extensions(profile, packed)) == {1: b"0"}


def test_the_keys_of_a_viewers_connection_are_negotiated_once() -> None:
    (certificate,) = vars(RTCPeerConnection(RTCConfiguration(iceServers=[])))["_RTCPeerConnection__certificates"]
    assert certificate._create_ssl_context(SRTP_PROFILES).set_options(0) & SSL.OP_NO_RENEGOTIATION


def test_a_peer_may_have_an_rsa_certificate() -> None:
    context = patches.ViewerCertificate.generateCertificate()._create_ssl_context(SRTP_PROFILES)
    ciphers = SSL.Connection(context).get_cipher_list()
    assert "ECDHE-RSA-AES128-GCM-SHA256" in ciphers
    assert next(name for name in ciphers if name.startswith("ECDHE")).startswith("ECDHE-ECDSA-")


def test_a_host_without_a_network_offers_loopback() -> None:
    assert patches._with_loopback(lambda _v4, _v6: [])(True, True) == ["127.0.0.1"]
    assert patches._with_loopback(lambda _v4, _v6: ["192.0.2.7"])(True, True) == ["192.0.2.7"]
    assert ice.get_host_addresses(use_ipv4=True, use_ipv6=True)


def test_the_system_is_asked_for_our_addresses_once_in_a_while() -> None:
    now = 100.0
    asked = itertools.count(1)
    find = patches._cached(lambda _v4, _v6: [f"192.0.2.{next(asked)}"], lambda: now)
    find(True, False).append("of whoever asked")
    assert find(True, False) == ["192.0.2.1"]
    assert find(True, True) == ["192.0.2.2"]
    now += patches.ADDRESSES_VALID_S
    assert find(True, False) == ["192.0.2.3"]


async def test_a_connection_has_its_own_certificate_and_no_bandwidth_estimator() -> None:
    certificates = []
    for _ in range(2):
        connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        receiver = vars(connection.addTransceiver("video").receiver)
        assert isinstance(receiver["_RTCRtpReceiver__remote_bitrate_estimator"], patches.NoEstimator)
        (certificate,) = vars(connection)["_RTCPeerConnection__certificates"]
        certificates.append(certificate.getFingerprints()[0].value)
        await connection.close()
    assert len(set(certificates)) == 2


def sending(origin: int = 0) -> tuple[Sender, Subscriber, patches.PassThroughSender]:
    sender, subscriber = Sender(), Subscriber()
    part: Any = sender
    patch = patches.PassThroughSender(part, subscriber, origin, SharedPayloads(), clock=lambda: 0.0)
    return sender, subscriber, patch


def large_frame(ticks: int = 0) -> EncodedFrame:
    """A frame of many packets."""
    return EncodedFrame(b"\0\0\1\x65" + bytes([9]) * 5000, 0.0, ticks, is_idr=True)


async def test_a_sender_sends_the_frames_of_a_subscriber_with_our_timestamps() -> None:
    sender, subscriber, _ = sending(RTP_WRAP - 1)
    subscriber.receive_frame(EncodedFrame(b"\0\0\1\x65one", 0.0, 11, is_idr=True))
    frame = await sender._next_encoded_frame(None)
    assert frame.payloads == [b"\x65one"]
    assert sent_as(123, frame.timestamp) == 10
    waiting = asyncio.create_task(sender._next_encoded_frame(None))
    await asyncio.sleep(0)
    subscriber.close()
    with pytest.raises(MediaStreamError):
        await waiting


@pytest.mark.parametrize(("hz", "timestamp"), [(90_000, 18_000 + 45_000), (48_000, 9_600 + 24_000)])
async def test_a_report_names_the_timestamp_of_what_is_captured_now(hz: int, timestamp: int) -> None:
    sender, subscriber = Sender(), Subscriber()
    part: Any = sender
    patches.PassThroughSender(part, subscriber, RTP_WRAP - 5, SharedPayloads(), clock=lambda: 7.5, clock_hz=hz)
    subscriber.receive_frame(EncodedFrame(b"\0\0\1\x65one", 7.0, 18_000, is_idr=True))
    await sender._next_encoded_frame(None)
    await part._send_rtcp([rtp.RtcpSrPacket(1, rtp.RtcpSenderInfo(0, 0, 3, 4)), rtp.RtcpByePacket([1])])
    report = sender.reports[0]
    assert isinstance(report, rtp.RtcpSrPacket)
    assert report.sender_info.rtp_timestamp == timestamp - 5
    assert report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF == sender._RTCRtpSender__lsr


async def test_a_cut_ends_the_frame_that_is_being_sent_and_empties_the_history() -> None:
    sender, subscriber, patch = sending()
    subscriber.receive_frame(large_frame())
    frame = await sender._next_encoded_frame(None)
    sent = []
    for number, payload in enumerate(frame.payloads):  # as aiortc does
        sender._RTCRtpSender__rtp_history[number] = rtp.RtpPacket()
        sent.append(payload)
        if len(sent) == 2:
            patch.cut()
    assert len(sent) == 2
    assert not sender._RTCRtpSender__rtp_history


async def test_a_cut_of_one_viewer_leaves_the_same_frame_to_the_others() -> None:
    shared, frame = SharedPayloads(), large_frame()
    senders = []
    for _ in range(2):
        sender, subscriber = Sender(), Subscriber()
        part: Any = sender
        patch = patches.PassThroughSender(part, subscriber, 0, shared, clock=lambda: 0.0)
        subscriber.receive_frame(frame)
        senders.append((patch, await sender._next_encoded_frame(None)))
    senders[0][0].cut()
    assert senders[0][1].payloads == []
    assert len(senders[1][1].payloads) > 2


async def test_aiortc_iterates_over_the_list_that_a_cut_empties_and_keeps_the_history_that_it_is_given() -> None:
    source = inspect.getsource(rtcrtpsender.RTCRtpSender)
    assert "for i, payload in enumerate(enc_frame.payloads):" in source
    assert source.count("self.__rtp_history") == source.count("self.__rtp_history:") + 2  # made once, filled and read
