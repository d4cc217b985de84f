"""The policies for AWS allow what the code calls, and nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from belvedere.stage.ivs.aws_api import OF_THE_SERVER, Operation

AWS = Path(__file__).parents[2] / "deploy/aws"
OF_SETUP = frozenset(Operation) - OF_THE_SERVER | {Operation.GET_STAGE, Operation.GET_KEY}
TYPES = {"Stage": "stage", "Participant": "stage", "ParticipantToken": "stage", "PublicKey": "public-key"}


def statements(name: str) -> list[dict[str, Any]]:
    policy = json.loads((AWS / name).read_text(encoding="utf-8"))
    assert policy.keys() == {"Version", "Statement"}
    assert policy["Version"] == "2012-10-17"
    return list(policy["Statement"])


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize(
    ("name", "operations"), [("server-policy.json", OF_THE_SERVER), ("setup-policy.json", OF_SETUP)]
)
def test_a_policy_allows_exactly_what_is_called(name: str, operations: frozenset[Operation]) -> None:
    allowed = [action for statement in statements(name) for action in listed(statement["Action"])]
    assert sorted(allowed) == sorted(operation.action for operation in operations)


@pytest.mark.parametrize("name", ["server-policy.json", "setup-policy.json"])
def test_a_statement_has_a_name_allows_and_has_no_wildcard_among_its_actions(name: str) -> None:
    for statement in statements(name):
        assert statement.keys() == {"Sid", "Effect", "Action", "Resource"}
        assert re.fullmatch("[A-Za-z0-9]+", statement["Sid"])
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in listed(statement["Action"]))


def test_the_servers_key_reaches_nothing_but_stages_and_their_keys() -> None:
    for statement in statements("server-policy.json"):
        kinds = {
            kind
            for action in listed(statement["Action"])
            for suffix, kind in TYPES.items()
            if action.removeprefix("ivs:").endswith(suffix)
        }
        assert listed(statement["Resource"]) == [f"arn:aws:ivs:*:*:{kind}/*" for kind in sorted(kinds)]


def test_what_a_server_with_a_key_of_its_own_does_not_need_can_be_left_out_as_one_statement() -> None:
    (left_out,) = [each for each in statements("server-policy.json") if each["Sid"] == "OnlyWithoutAKeyOfYourOwn"]
    assert listed(left_out["Action"]) == [Operation.CREATE_TOKEN.action]
