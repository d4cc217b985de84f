"""Prepares Amazon IVS: a key, its public half at AWS, a stage, and the settings that name them. Repeating it is safe.

What exists already is found: the key by its file, its public half by a name made of it, the stage by the settings or by
its name. So a run that was cut short is completed by the next.
"""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from belvedere.app.settings import read_settings_text
from belvedere.app.settings_writer import lines_for, with_values, write_settings
from belvedere.errors import IvsError, IvsReason, OwnerError
from belvedere.head.document import parse_document
from belvedere.profile_files import read_text
from belvedere.secret import Secret
from belvedere.stage.ivs.aws_api import Operation, PublicKeyDetails, StageDetails
from belvedere.stage.ivs.signed_tokens import new_key_pem, private_key, public_pem
from belvedere.stage.options import StageOptions, Way

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

KEY_FILE: Final = "ivs-key.pem"
STAGE_NAME: Final = "belvedere"
OWN_ONLY: Final = 0o600
OWN_AND_GROUP: Final = 0o640
MAX_KEY_BYTES: Final = 8192


class SetupApi(Protocol):
    """The calls that setting up makes (stage.ivs.aws_api.AwsApi); each raises IvsError."""

    def stage(self, arn: str) -> StageDetails:
        """A stage by its ARN."""
        ...

    def stages(self) -> Iterator[StageDetails]:
        """All stages of the region."""
        ...

    def create_stage(self, name: str) -> StageDetails:
        """A new stage."""
        ...

    def public_key(self, arn: str) -> PublicKeyDetails:
        """An imported key by its ARN."""
        ...

    def public_keys(self) -> Iterator[PublicKeyDetails]:
        """All imported keys of the region."""
        ...

    def import_key(self, name: str, material: str) -> PublicKeyDetails:
        """Import the public half of a key."""
        ...


class PrintedCalls:
    """Makes no call, and says which ones would be made, as far as that is known before their answers."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say

    def stage(self, arn: str) -> StageDetails:
        """Say it."""
        self._call(Operation.GET_STAGE, arn=arn)
        return StageDetails(arn, "", "(as AWS answers)", "(as AWS answers)")

    def stages(self) -> Iterator[StageDetails]:
        """Say it; there is none."""
        self._call(Operation.LIST_STAGES)
        return iter(())

    def create_stage(self, name: str) -> StageDetails:
        """Say it."""
        self._call(Operation.CREATE_STAGE, "if there is none of this name", name=name)
        return StageDetails("(as AWS answers)", name, "(as AWS answers)", "(as AWS answers)")

    def public_key(self, arn: str) -> PublicKeyDetails:
        """Say it; it is not known to be ours."""
        self._call(Operation.GET_KEY, arn=arn)
        return PublicKeyDetails(arn, "", "")

    def public_keys(self) -> Iterator[PublicKeyDetails]:
        """Say it; there is none."""
        self._call(Operation.LIST_KEYS)
        return iter(())

    def import_key(self, name: str, material: str) -> PublicKeyDetails:
        """Say it."""
        about = f"{len(material)} characters, the public half of the key"
        self._call(Operation.IMPORT_KEY, "if it is not imported yet", name=name, publicKeyMaterial=about)
        return PublicKeyDetails("(as AWS answers)", name, material)

    def _call(self, operation: Operation, condition: str = "", **parameters: str) -> None:
        about = ", ".join(f"{name} = {value}" for name, value in parameters.items())
        self._say(f"would call {operation.action}({about})" + (f" {condition}" if condition else ""))


@dataclass(frozen=True, slots=True)
class Known:
    """What the settings say already."""

    stage_arn: str
    key_file: str
    key_arn: str

    @property
    def region(self) -> str:
        """The region of the stage; "" without one."""
        return self.stage_arn.split(":")[3] if self.stage_arn.count(":") > 3 else ""  # noqa: PLR2004 - as ARNs have it


def read_known(settings: Path) -> Known:
    """What a settings file says of Amazon IVS, complete or not. Raises SettingsError."""
    stage = _table(parse_document(read_settings_text(settings), str(settings)), "stage")
    ivs = _table(stage, "ivs")
    return Known(*(str(ivs.get(name, "")) for name in ("stage_arn", "key_file", "key_arn")))


def set_up(
    settings: Path, api: SetupApi, *, name: str = STAGE_NAME, is_dry_run: bool, say: Callable[[str], None]
) -> None:
    """Do what is missing, and say each step. Raises IvsError, SettingsError and OwnerError."""
    known = read_known(settings)
    path = settings.parent / (known.key_file or KEY_FILE)
    material = _key(path, settings, is_dry_run=is_dry_run, say=say)
    key_arn = _imported(api, known.key_arn, material, say)
    stage = _stage(api, known.stage_arn, name, say)
    ivs = {"stage_arn": stage.arn, "key_file": known.key_file or KEY_FILE, "key_arn": key_arn}
    ivs |= {"events_url": stage.events_url, "whip_url": stage.whip_url}
    _write(settings, ivs, is_dry_run=is_dry_run, say=say)


def _key(path: Path, settings: Path, *, is_dry_run: bool, say: Callable[[str], None]) -> str:
    """The public half of the key in this file, which is made if there is none."""
    if not os.path.lexists(path):
        pem = new_key_pem()
        if is_dry_run:
            say(f"would write a new P-384 key to {path}, which only the server's user can read")
        else:
            write_key(path, settings, pem)
            say(f"wrote a new P-384 key to {path}")
        return public_pem(private_key(Secret(pem)))
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEY_BYTES)
    except OSError as error:
        raise OwnerError(f"{path} cannot be read: {error.strerror}") from error
    material = public_pem(private_key(Secret(content.decode("utf-8", "replace"))))
    say(f"the key in {path} is used")
    return material


def write_key(path: Path, settings: Path, pem: str) -> None:
    """Write a new key for who reads the settings: their owner, or for a service its group too. Raises OwnerError."""
    about = settings.stat()
    is_for_group = about.st_uid == 0 and about.st_gid != 0 and bool(about.st_mode & stat.S_IRGRP)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, OWN_ONLY), "w", encoding="ascii") as file:
            if os.geteuid() == 0:
                os.fchown(file.fileno(), about.st_uid, about.st_gid)
            os.fchmod(file.fileno(), OWN_AND_GROUP if is_for_group else OWN_ONLY)
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OwnerError(f"{path} cannot be written: {error.strerror}") from error


def key_name(material: str) -> str:
    """What the public half is called at AWS, so that it is found again."""
    return f"belvedere-{hashlib.sha256(material.strip().encode()).hexdigest()[:16]}"


def _imported(api: SetupApi, arn: str, material: str, say: Callable[[str], None]) -> str:
    """The ARN of the public half, which is imported if it is not yet."""
    if arn and _is_ours(api, arn, material):
        say(f"the public half of the key is {arn}")
        return arn
    name = key_name(material)
    for each in api.public_keys():
        if each.name == name and _is_ours(api, each.arn, material):
            say(f"the public half of the key was imported before: {each.arn}")
            return each.arn
    imported = api.import_key(name, material)
    say(f"the public half of the key is {imported.arn}")
    return imported.arn


def _is_ours(api: SetupApi, arn: str, material: str) -> bool:
    """Whether a key at AWS is the public half of ours; one that is gone is not."""
    try:
        found = api.public_key(arn).material
    except IvsError as error:
        if error.reason is IvsReason.NOT_FOUND:
            return False
        raise
    return found.split() == material.split()


def _stage(api: SetupApi, arn: str, name: str, say: Callable[[str], None]) -> StageDetails:
    """The stage of the settings, or the one of this name, which is created if there is none."""
    if not arn:
        arn = next((each.arn for each in api.stages() if each.name == name), "")
    stage = api.stage(arn) if arn else api.create_stage(name)
    if not (stage.events_url and stage.whip_url):
        stage = api.stage(stage.arn)
    if not (stage.events_url and stage.whip_url):
        raise IvsError(IvsReason.OTHER, f"AWS does not say where participants of {stage.arn} connect")
    say(f"the stage is {stage.arn}")
    return stage


def _write(settings: Path, ivs: Mapping[str, str], *, is_dry_run: bool, say: Callable[[str], None]) -> None:
    """Write what is new into the settings; the order of ways that somebody has chosen stays."""
    text = read_text(settings)
    stage = _table(parse_document(text, str(settings)), "stage")
    ways = list(stage.get("ways", StageOptions().ways))
    tables: dict[str, dict[str, Any]] = {}
    if Way.IVS not in ways:
        tables["stage"] = {"ways": [*map(str, ways), Way.IVS.value]}
    known = _table(stage, "ivs")
    changed = {key: value for key, value in ivs.items() if known.get(key) != value}
    if changed:
        tables["stage.ivs"] = changed
    if not tables:
        say(f"{settings} says so already")
        return
    if is_dry_run:
        say(f"would write to {settings}:")
        for line in lines_for(tables):
            say(f"    {line}")
        return
    edited = with_values(text, str(settings), tables)
    try:
        write_settings(settings, edited)
    except OSError as error:
        raise OwnerError(f"{settings} cannot be written: {error.strerror}") from error
    say(f"wrote it to {settings}; restart the server, and `belvedere ivs check` tells whether it works")


def _table(table: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = table.get(name)
    return found if isinstance(found, dict) else {}
