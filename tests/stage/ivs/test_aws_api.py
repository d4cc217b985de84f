"""The calls fit the service's own model, which botocore's Stubber checks: parameters, shapes and errors."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from botocore.stub import Stubber
from tests.stage.test_ivs_options import KEY, STAGE

from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import (
    CONNECT_TIMEOUT_S,
    READ_TIMEOUT_S,
    AwsApi,
    Operation,
    StageDetails,
    clock_behind_s,
    create_client,
    create_client_of,
)
from belvedere.stage.ivs.token_source import CAMERA, JOIN_S
from belvedere.stage.ivs_options import IvsOptions

UTC_S = 1_796_083_200.0
ENDPOINTS = {"events": "wss://global.events.live-video.net", "whip": "https://global.whip.live-video.net"}
DETAILS = StageDetails(STAGE, "belvedere", ENDPOINTS["events"], ENDPOINTS["whip"])
MATERIAL = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
Stub = Callable[..., None]


@functools.cache
def one_client() -> Any:  # noqa: ANN401 - boto3 has no types
    """One client for all tests: making one takes half a second."""
    return create_client("eu-central-1", "AKIAIOSFODNN7EXAMPLE", "a-secret")


class Stubbed:
    """An API whose client answers as the test says, and asks nobody."""

    def __init__(self) -> None:
        client = one_client()
        self.stubber = Stubber(client)
        self.api = AwsApi(lambda: client, lambda: UTC_S)

    def answer(self, operation: Operation, asked: dict[str, Any], answer: dict[str, Any]) -> None:
        self.stubber.add_response(operation.method, answer, asked)


@pytest.fixture
def aws() -> Iterator[Stubbed]:
    stubbed = Stubbed()
    with stubbed.stubber:
        yield stubbed
        stubbed.stubber.assert_no_pending_responses()


@pytest.mark.parametrize(("capability", "attributes"), [("PUBLISH", CAMERA), ("SUBSCRIBE", {})])
def test_a_token_is_asked_for_with_one_capability_and_minutes_to_join(
    aws: Stubbed, capability: str, attributes: dict[str, str]
) -> None:
    asked = {"stageArn": STAGE, "duration": 2, "capabilities": [capability], "attributes": attributes}
    token = {"participantId": "p1", "token": "a-token", "attributes": attributes}
    aws.answer(Operation.CREATE_TOKEN, asked, {"participantToken": token})
    made = aws.api.create_token(STAGE, capability, attributes, "https://a")
    assert (made.participant, made.token, made.whip_url) == ("p1", Secret("a-token"), "https://a")
    assert made.join_by_utc_s == UTC_S + JOIN_S


def test_an_answer_without_a_token_is_an_error(aws: Stubbed) -> None:
    asked = {"stageArn": STAGE, "duration": 2, "capabilities": ["SUBSCRIBE"], "attributes": {}}
    aws.answer(Operation.CREATE_TOKEN, asked, {})
    with pytest.raises(IvsError):
        aws.api.create_token(STAGE, "SUBSCRIBE", {}, None)


def test_a_participant_is_disconnected_from_its_stage(aws: Stubbed) -> None:
    aws.answer(Operation.DISCONNECT, {"stageArn": STAGE, "participantId": "p1", "reason": "over"}, {})
    aws.api.disconnect(STAGE, "p1", "over")


def test_a_stage_has_its_addresses(aws: Stubbed) -> None:
    aws.answer(
        Operation.GET_STAGE, {"arn": STAGE}, {"stage": {"arn": STAGE, "name": "belvedere", "endpoints": ENDPOINTS}}
    )
    assert aws.api.stage(STAGE) == DETAILS


def test_all_pages_of_a_list_are_read(aws: Stubbed) -> None:
    aws.answer(Operation.LIST_STAGES, {}, {"stages": [{"arn": STAGE, "name": "one"}], "nextToken": "more"})
    aws.answer(Operation.LIST_STAGES, {"nextToken": "more"}, {"stages": [{"arn": STAGE, "name": "two"}]})
    assert [stage.name for stage in aws.api.stages()] == ["one", "two"]
    aws.answer(Operation.LIST_KEYS, {}, {"publicKeys": [{"arn": KEY, "name": "ours"}]})
    assert [(key.arn, key.name, key.material) for key in aws.api.public_keys()] == [(KEY, "ours", "")]


def test_a_stage_is_created_by_name(aws: Stubbed) -> None:
    answer = {"stage": {"arn": STAGE, "name": "belvedere", "endpoints": ENDPOINTS}}
    aws.answer(Operation.CREATE_STAGE, {"name": "belvedere"}, answer)
    assert aws.api.create_stage("belvedere") == DETAILS


def test_a_key_is_imported_and_read(aws: Stubbed) -> None:
    key = {"arn": KEY, "name": "ours", "publicKeyMaterial": MATERIAL}
    aws.answer(Operation.IMPORT_KEY, {"name": "ours", "publicKeyMaterial": MATERIAL}, {"publicKey": key})
    aws.answer(Operation.GET_KEY, {"arn": KEY}, {"publicKey": key})
    assert aws.api.import_key("ours", MATERIAL) == aws.api.public_key(KEY)


@pytest.mark.parametrize(
    ("code", "status", "reason"),
    [
        ("AccessDeniedException", 403, IvsReason.ACCESS_DENIED),
        ("PendingVerification", 403, IvsReason.PENDING_VERIFICATION),
        ("ResourceNotFoundException", 404, IvsReason.NOT_FOUND),
        ("ServiceQuotaExceededException", 402, IvsReason.QUOTA),
        ("ValidationException", 400, IvsReason.INVALID),
        ("ThrottlingException", 429, IvsReason.THROTTLED),
    ],
)
def test_what_aws_refuses_is_a_reason_with_a_cure(aws: Stubbed, code: str, status: int, reason: IvsReason) -> None:
    aws.stubber.add_client_error(Operation.GET_STAGE.method, code, "no", http_status_code=status)
    with pytest.raises(IvsError, match="get stage") as caught:
        aws.api.stage(STAGE)
    assert caught.value.reason is reason


def test_without_boto3_the_owner_is_told_what_to_install() -> None:
    def fail() -> object:
        raise ModuleNotFoundError("No module named 'boto3'")

    for call in (AwsApi(fail).load, lambda: AwsApi(fail).stage(STAGE)):
        with pytest.raises(IvsError, match="pip install") as caught:
            call()
        assert caught.value.reason is IvsReason.NO_LIBRARY


def test_the_client_is_made_once_also_where_several_threads_are_the_first() -> None:
    made: list[Client] = []

    def create() -> Client:
        made.append(Client(UTC_S))
        return made[-1]

    api = AwsApi(create, lambda: UTC_S)
    threads = [threading.Thread(target=api.load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    api.stage(STAGE)
    assert len(made) == 1


def answered_at(utc_s: float) -> dict[str, Any]:
    date = format_datetime(datetime.fromtimestamp(utc_s, UTC), usegmt=True)
    return {"ResponseMetadata": {"HTTPHeaders": {"date": date}, "HTTPStatusCode": 200}}


@pytest.mark.parametrize(
    ("answer", "behind_s"),
    [
        (answered_at(UTC_S + 90), 90),
        (answered_at(UTC_S - 90), -90),
        ({}, None),
        (None, None),
        ("date", None),
        ({"ResponseMetadata": {"HTTPHeaders": {"date": "yesterday"}}}, None),
        ({"ResponseMetadata": {"HTTPHeaders": {"date": 7}}}, None),
    ],
)
def test_the_clock_is_compared_with_aws_answers(answer: object, behind_s: float | None) -> None:
    assert clock_behind_s(answer, UTC_S) == behind_s


class Client:
    """A client whose answers are of another time."""

    def __init__(self, utc_s: float) -> None:
        self.utc_s = utc_s

    def get_stage(self, **_: object) -> dict[str, Any]:
        return answered_at(self.utc_s)


def test_a_wrong_clock_is_told_once_until_it_is_right_again(caplog: pytest.LogCaptureFixture) -> None:
    client = Client(UTC_S + 3600)
    api = AwsApi(lambda: client, lambda: UTC_S)
    with caplog.at_level(logging.WARNING):
        for utc_s in (UTC_S + 3600, UTC_S + 3600, UTC_S + 5, UTC_S - 3600):
            client.utc_s = utc_s
            api.stage(STAGE)
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "this computer's clock is 3600 s behind AWS's",
        "this computer's clock is 3600 s ahead of AWS's",
    ]
    assert "timedatectl" in caplog.text


def test_no_call_waits_for_long_and_none_is_repeated_behind_our_back() -> None:
    config = one_client().meta.config
    assert (config.connect_timeout, config.read_timeout) == (CONNECT_TIMEOUT_S, READ_TIMEOUT_S)
    assert config.retries["total_max_attempts"] == 1


def test_the_client_has_the_settings_region_and_key() -> None:
    options = IvsOptions(stage_arn=STAGE, access_key_id="AKIAIOSFODNN7EXAMPLE", secret_access_key=Secret("a-secret\n"))
    with contextlib.closing(create_client_of(options)) as client:
        assert client.meta.region_name == "eu-central-1"
        credentials = client._request_signer._credentials
        assert (credentials.access_key, credentials.secret_key) == ("AKIAIOSFODNN7EXAMPLE", "a-secret")


@pytest.mark.parametrize("operation", Operation)
def test_every_operation_is_one_of_the_service(operation: Operation) -> None:
    assert one_client().meta.method_to_api_mapping[operation.method] == operation.action.removeprefix("ivs:")


class Handler(http.server.BaseHTTPRequestHandler):
    """AWS over HTTP: it knows one participant, and its clock is an hour ahead."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        is_known = asked["participantId"] == "p1"
        content = b"{}" if is_known else b'{"exceptionMessage": "no such participant"}'
        self.send_response_only(200 if is_known else 404)
        self.send_header("date", format_datetime(datetime.fromtimestamp(time.time() + 3600, UTC), usegmt=True))
        self.send_header("content-length", str(len(content)))
        if self.path != "/DisconnectParticipant" or not self.headers["authorization"].startswith("AWS4-HMAC-SHA256"):
            self.send_header("x-amzn-errortype", "ValidationException")
        elif not is_known:
            self.send_header("x-amzn-errortype", "ResourceNotFoundException")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.mark.realtime
def test_over_http_the_calls_errors_and_clocks_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            with contextlib.closing(create_client("eu-central-1", "AKIAIOSFODNN7EXAMPLE", "a-secret")) as client:
                api = AwsApi(lambda: client)
                api.disconnect(STAGE, "p1", "over")
                with pytest.raises(IvsError) as caught:
                    api.disconnect(STAGE, "p2", "over")
        finally:
            server.shutdown()
            serving.join()
    assert caught.value.reason is IvsReason.NOT_FOUND
    assert api.is_clock_wrong


@pytest.mark.realtime
def test_an_address_at_which_nobody_listens_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    with contextlib.closing(create_client("eu-central-1", "AKIAIOSFODNN7EXAMPLE", "a-secret")) as client:
        api = AwsApi(lambda: client)
        with pytest.raises(IvsError) as caught:
            api.disconnect(STAGE, "p1", "over")
    assert caught.value.reason is IvsReason.UNREACHABLE
