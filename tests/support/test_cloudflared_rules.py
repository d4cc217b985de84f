"""The example configuration keeps cloudflared's rules, and what breaks one is found."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # has no types
from tests.support.cloudflared_rules import problems

ROOT = Path(__file__).parents[2]
EXAMPLE: dict[str, Any] = yaml.safe_load((ROOT / "deploy/cloudflared/config.yml").read_text(encoding="utf-8"))
YAML = re.compile(r"^ *```yaml\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def changed(*path: str | int, value: object = None) -> dict[str, Any]:
    """The example with one value replaced, or removed where it is None."""
    result = copy.deepcopy(EXAMPLE)
    table: Any = result
    for key in path[:-1]:
        table = table[key]
    if value is None:
        del table[path[-1]]
    else:
        table[path[-1]] = value
    return result


def test_the_example_keeps_the_rules() -> None:
    assert problems(EXAMPLE) == []


HOUSE = ("ingress", 1)
ORIGIN = (*HOUSE, "originRequest")


@pytest.mark.parametrize(
    ("configuration", "problem"),
    [
        (changed("ingress", 2), "ingress[1]: the last rule must match everything"),
        (changed("ingress", value=[]), "ingress: has no rules"),
        (changed(*HOUSE, "hostname"), "ingress[1]: only the last rule may match everything"),
        (changed(*HOUSE, "hostname", value="home.example.org:443"), "ingress[1].hostname: no name"),
        (changed(*HOUSE, "hostname", value="home.*.org"), "ingress[1].hostname: no name"),
        (changed(*HOUSE, "hostname", value="*home.example.org"), "ingress[1].hostname: no name"),
        (changed(*HOUSE, "hostname", value="*.example.org"), None),
        (changed("ingress", 0, "path", value="("), "ingress[0].path: "),
        (changed(*HOUSE, "service", value="127.0.0.1:8080"), "ingress[1].service: needs a scheme and a host"),
        (changed(*HOUSE, "service", value="ftp://127.0.0.1"), "ingress[1].service: needs a scheme and a host"),
        (changed(*HOUSE, "service", value="http://127.0.0.1:8080/"), "ingress[1].service: must have no path"),
        (changed(*HOUSE, "service", value="unix:/run/it.sock"), None),
        (changed("ingress", 2, "service", value="http_status:x"), "ingress[2].service: no HTTP status"),
        (changed(*HOUSE, "servcie", value="x"), "ingress[1].servcie: is not known"),
        (changed(*ORIGIN, "keepAliveTimeout", value="60"), "keepAliveTimeout: no duration"),
        (changed(*ORIGIN, "keepAliveTimeout", value=60), "keepAliveTimeout: is no str"),
        (changed(*ORIGIN, "keepaliveTimeout", value="60s"), "keepaliveTimeout: is not known"),
        (changed(*ORIGIN, "httpHostHeader", value="localhost"), "needs the Host that the browser asked for"),
        (changed(*ORIGIN, "access"), "access.required: is not true"),
        (changed(*ORIGIN, "access", "required", value=False), "access.required: is not true"),
        (changed(*ORIGIN, "access", "teamName"), "access.teamName: is missing"),
        (changed(*ORIGIN, "access", "audTag", value=["short"]), "access.audTag: needs the 64 digits"),
        (changed(*ORIGIN, "access", "audTags", value=["a"]), "access.audTags: is not known"),
        (changed("originRequest", value=EXAMPLE["ingress"][1]["originRequest"]), "originRequest.access: counts inside"),
        (changed("credentials-file"), "a tunnel needs its credentials-file"),
        (changed("metrics", value="0.0.0.0:20241"), "metrics: is not for this computer alone"),
        (changed("no-autoupdates", value=True), "no-autoupdates: is not known"),
    ],
)
def test_what_breaks_a_rule_is_found(configuration: dict[str, Any], problem: str | None) -> None:
    found = problems(configuration)
    if problem is None:
        assert found == []
    else:
        assert any(problem in line for line in found), found


@pytest.mark.parametrize("wrong", [None, [], "tunnel", {}])
def test_what_is_no_configuration_is_found(wrong: object) -> None:
    assert problems(wrong)


def test_the_pages_show_rules_that_keep_them_too() -> None:
    shown = 0
    for page in sorted((ROOT / "docs/how-to").glob("*.md")):
        for block in YAML.findall(page.read_text(encoding="utf-8")):
            document = yaml.safe_load(block)
            if isinstance(document, dict) and isinstance(document.get("ingress"), list):
                whole = {**EXAMPLE, **document}
                assert problems(whole, needs_login=False) == [], page.name
                shown += 1
    assert shown
