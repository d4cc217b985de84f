"""The settings of Amazon IVS Real-Time, one of the ways to send the picture.

How to get a stage is in docs/how-to/watch-through-amazon-ivs.md.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from belvedere.secret import Secret

StageArn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws:ivs:[a-z0-9-]+:[0-9]+:stage/[A-Za-z0-9-]+\Z",
        max_length=128,
        description="arn:aws:ivs:region:account:stage/id",
    ),
]
KeyArn = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^arn:aws:ivs:[a-z0-9-]+:[0-9]+:public-key/[A-Za-z0-9-]+\Z",
        max_length=128,
        description="arn:aws:ivs:region:account:public-key/id",
    ),
]
# Without TLS only on this computer, for trials.
_HOST_AND_PATH = r"[A-Za-z0-9._-]+(:[0-9]+)?(/[A-Za-z0-9._/-]*)?\Z"
_LOOPBACK = r"(127\.0\.0\.1|localhost)(:[0-9]+)?(/[A-Za-z0-9._/-]*)?\Z"
EventsUrl = Annotated[
    str,
    msgspec.Meta(pattern=rf"^(wss://{_HOST_AND_PATH}|ws://{_LOOPBACK})", max_length=300, description="wss://host/path"),
]
WhipUrl = Annotated[
    str,
    msgspec.Meta(
        pattern=rf"^(https://{_HOST_AND_PATH}|http://{_LOOPBACK})", max_length=300, description="https://host/path"
    ),
]
KeyFile = Annotated[Secret, msgspec.Meta(description="the path of a file with the private key, as PEM")]
SecretFile = Annotated[Secret, msgspec.Meta(description="the path of a file with one line")]
PEM = "-----BEGIN PRIVATE KEY-----"


class IvsOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A stage of Amazon IVS Real-Time. `belvedere ivs setup` creates one, and writes what is needed here.

    Attributes:
        stage_arn: the stage; it also says the region.
        key: the key that signs the tokens of those who watch; without one, AWS is asked for each token.
        key_arn: what AWS calls the public half of that key.
        events_url, whip_url: the stage's addresses, which are part of each token that is signed here.
        access_key_id: the server's access key at AWS; without one, that of the environment, as boto3 finds it.
        secret_access_key: its secret. The key needs the rights of deploy/aws/server-policy.json.
        price_usd: what one participant costs for an hour.
        allow_telemetry: whether Amazon's SDK in visitors' browsers may send Amazon what it measures; it works without.
        monthly_hours: how many participant-hours a month may have, in UTC; then the other ways are used. 0 for any.
    """

    stage_arn: StageArn
    key: KeyFile | None = msgspec.field(default=None, name="key_file")
    key_arn: KeyArn | None = None
    events_url: EventsUrl | None = None
    whip_url: WhipUrl | None = None
    access_key_id: Annotated[str, msgspec.Meta(pattern=r"^[A-Z0-9]+\Z", max_length=128)] | None = None
    secret_access_key: SecretFile | None = msgspec.field(default=None, name="secret_access_key_file")
    price_usd: Annotated[float, msgspec.Meta(ge=0, le=100)] = 0.072
    allow_telemetry: bool = False
    monthly_hours: Annotated[float, msgspec.Meta(ge=0, le=1_000_000)] = 0.0

    def __post_init__(self) -> None:
        """Raise ValueError for what is incomplete; msgspec adds the key to the message."""
        if (self.key is None) != (self.key_arn is None):
            raise ValueError("key_file and key_arn belong together: `belvedere ivs setup` writes both")
        if self.key is not None and (self.events_url is None or self.whip_url is None):
            raise ValueError("key_file needs events_url and whip_url: `belvedere ivs setup` writes both")
        if self.key is not None and PEM not in self.key.reveal():
            raise ValueError("key_file must contain a private key as PEM (PKCS #8)")
        if self.key_arn is not None and self.key_arn.split(":")[3:5] != self.stage_arn.split(":")[3:5]:
            raise ValueError("key_arn and stage_arn must be of the same region and account")
        if (self.access_key_id is None) != (self.secret_access_key is None):
            raise ValueError("access_key_id and secret_access_key_file belong together")

    @property
    def region(self) -> str:
        """The region of the stage."""
        return self.stage_arn.split(":")[3]

    @property
    def stage_id(self) -> str:
        """What follows the last slash of the stage's ARN."""
        return self.stage_arn.rpartition("/")[2]
