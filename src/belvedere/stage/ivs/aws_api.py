"""The calls to Amazon IVS Real-Time, by boto3, which is imported at the first one. They block: see `aws_calls`."""

from __future__ import annotations

import enum
import logging
import threading
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final

from belvedere.errors import IvsError, IvsReason
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_errors import ivs_error
from belvedere.stage.ivs.token_source import JOIN_S, ParticipantToken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from belvedere.stage.ivs_options import IvsOptions

logger = logging.getLogger(__name__)

SERVICE: Final = "ivs-realtime"
CONNECT_TIMEOUT_S: Final = 3
READ_TIMEOUT_S: Final = 4
ATTEMPTS: Final = 1  # those who call try again themselves, and know how often
MAX_SKEW_S: Final = 60.0  # half of a token's time to join
MAX_PAGES: Final = 100


class Operation(enum.Enum):
    """Every call that Belvedere makes: boto3's name, and the action that an IAM policy must allow."""

    CREATE_TOKEN = ("create_participant_token", "ivs:CreateParticipantToken")
    DISCONNECT = ("disconnect_participant", "ivs:DisconnectParticipant")
    GET_STAGE = ("get_stage", "ivs:GetStage")
    LIST_STAGES = ("list_stages", "ivs:ListStages")
    CREATE_STAGE = ("create_stage", "ivs:CreateStage")
    GET_KEY = ("get_public_key", "ivs:GetPublicKey")
    LIST_KEYS = ("list_public_keys", "ivs:ListPublicKeys")
    IMPORT_KEY = ("import_public_key", "ivs:ImportPublicKey")

    @property
    def method(self) -> str:
        """What boto3 calls it."""
        return self.value[0]

    @property
    def action(self) -> str:
        """What IAM calls it."""
        return self.value[1]


OF_THE_SERVER: Final = frozenset({Operation.CREATE_TOKEN, Operation.DISCONNECT, Operation.GET_STAGE, Operation.GET_KEY})
"""What runs day by day, and `belvedere ivs check`; all others are for `belvedere ivs setup`."""


@dataclass(frozen=True, slots=True)
class StageDetails:
    """A stage, and where its participants connect; "" for what AWS does not say."""

    arn: str
    name: str
    events_url: str
    whip_url: str


@dataclass(frozen=True, slots=True)
class PublicKeyDetails:
    """An imported key; `material` is its public half as PEM."""

    arn: str
    name: str
    material: str


class AwsApi:
    """The calls. Each raises IvsError, and returns within about CONNECT_TIMEOUT_S and READ_TIMEOUT_S.

    Args:
        create_client: makes a client of boto3; called at the first call.
        utc: seconds since 1970.
    """

    def __init__(self, create_client: Callable[[], Any], utc: Callable[[], float] = time.time) -> None:
        self._create_client = create_client
        self._utc = utc
        self._client: Any = None
        self._creating = threading.Lock()
        self.clock_behind_s: float | None = None

    def load(self) -> None:
        """Import boto3 and make its client, which takes a second on a small computer; else the first call does it."""
        try:
            self._connected()
        except Exception as error:
            raise ivs_error(error, "loading boto3") from error

    def create_token(
        self, stage_arn: str, capability: str, attributes: Mapping[str, str], whip_url: str | None
    ) -> ParticipantToken:
        """A token with one capability: PUBLISH or SUBSCRIBE."""
        asked_utc_s = self._utc()
        answer = self._call(
            Operation.CREATE_TOKEN,
            stageArn=stage_arn,
            duration=JOIN_S // 60,
            capabilities=[capability],
            attributes=dict(attributes),
        )
        token = answer.get("participantToken") or {}
        text, participant = token.get("token", ""), token.get("participantId", "")
        if not (text and participant):
            raise IvsError(IvsReason.OTHER, "creating a token: AWS answered none")
        return ParticipantToken(participant, Secret(text), whip_url, asked_utc_s + JOIN_S)

    def disconnect(self, stage_arn: str, participant: str, reason: str) -> None:
        """End a participant's connection, and its token for good."""
        self._call(Operation.DISCONNECT, stageArn=stage_arn, participantId=participant, reason=reason)

    def stage(self, arn: str) -> StageDetails:
        """A stage by its ARN."""
        return _stage(self._call(Operation.GET_STAGE, arn=arn).get("stage") or {})

    def stages(self) -> Iterator[StageDetails]:
        """All stages of the region, without their addresses."""
        for page in self._pages(Operation.LIST_STAGES):
            yield from map(_stage, page.get("stages") or ())

    def create_stage(self, name: str) -> StageDetails:
        """A new stage."""
        return _stage(self._call(Operation.CREATE_STAGE, name=name).get("stage") or {})

    def public_key(self, arn: str) -> PublicKeyDetails:
        """An imported key by its ARN."""
        return _public_key(self._call(Operation.GET_KEY, arn=arn).get("publicKey") or {})

    def public_keys(self) -> Iterator[PublicKeyDetails]:
        """All imported keys of the region, without their material."""
        for page in self._pages(Operation.LIST_KEYS):
            yield from map(_public_key, page.get("publicKeys") or ())

    def import_key(self, name: str, material: str) -> PublicKeyDetails:
        """Import the public half of a key."""
        answer = self._call(Operation.IMPORT_KEY, name=name, publicKeyMaterial=material)
        return _public_key(answer.get("publicKey") or {})

    def _pages(self, operation: Operation) -> Iterator[dict[str, Any]]:
        token: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            page = self._call(operation, **token)
            yield page
            if not page.get("nextToken"):
                return
            token = {"nextToken": str(page["nextToken"])}

    def _call(self, operation: Operation, **parameters: object) -> dict[str, Any]:
        doing = operation.method.replace("_", " ")
        try:
            answer: dict[str, Any] = getattr(self._connected(), operation.method)(**parameters)
        except Exception as error:
            self._receive_time(getattr(error, "response", None))
            raise ivs_error(error, doing, is_clock_wrong=self.is_clock_wrong) from error
        self._receive_time(answer)
        return answer

    def _connected(self) -> Any:  # noqa: ANN401 - boto3 has no types
        """The client, made once, though several threads may be the first."""
        with self._creating:
            if self._client is None:
                self._client = self._create_client()
            return self._client

    @property
    def is_clock_wrong(self) -> bool:
        """Whether AWS's last answer was far from this computer's time."""
        return self.clock_behind_s is not None and abs(self.clock_behind_s) > MAX_SKEW_S

    def _receive_time(self, answer: object) -> None:
        """Compare the time of an answer with ours; a clock that is wrong makes tokens that nobody can use."""
        behind_s = clock_behind_s(answer, self._utc())
        if behind_s is None:
            return
        was_wrong, self.clock_behind_s = self.is_clock_wrong, behind_s
        if self.is_clock_wrong and not was_wrong:
            logger.warning(
                "this computer's clock is %.0f s %s AWS's: tokens that are signed here are not valid; %s",
                abs(behind_s),
                "behind" if behind_s > 0 else "ahead of",
                IvsReason.CLOCK.value,
            )


def clock_behind_s(answer: object, utc_s: float) -> float | None:
    """How far a clock at `utc_s` is behind the time of an answer of boto3, to the second; None where that says none."""
    try:
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]  # type: ignore[index]  # whatever it is
        return parsedate_to_datetime(str(date)).timestamp() - utc_s
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def create_client_of(options: IvsOptions) -> Any:  # noqa: ANN401 - boto3 has no types
    """A client for the stage's region, with the settings' access key or that of the environment."""
    secret = options.secret_access_key
    return create_client(options.region, options.access_key_id, secret.reveal().strip() if secret is not None else None)


def create_client(region: str, access_key_id: str | None = None, secret_access_key: str | None = None) -> Any:  # noqa: ANN401 - boto3 has no types
    """A client of boto3. Takes a second on a small computer. Raises ImportError, and what boto3 raises."""
    import boto3  # noqa: PLC0415 - 45 MiB, and needed only with Amazon IVS
    from botocore.config import Config  # noqa: PLC0415 - likewise

    config = Config(
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=4,
    )
    session = boto3.session.Session(
        aws_access_key_id=access_key_id, aws_secret_access_key=secret_access_key, region_name=region
    )
    return session.client(SERVICE, config=config)


def _stage(about: Mapping[str, Any]) -> StageDetails:
    endpoints = about.get("endpoints") or {}
    return StageDetails(
        str(about.get("arn", "")),
        str(about.get("name", "")),
        str(endpoints.get("events", "")),
        str(endpoints.get("whip", "")),
    )


def _public_key(about: Mapping[str, Any]) -> PublicKeyDetails:
    return PublicKeyDetails(
        str(about.get("arn", "")), str(about.get("name", "")), str(about.get("publicKeyMaterial", ""))
    )
