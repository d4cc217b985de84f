from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from tools.bill_of_materials import Component, bill, components_of, main, problems
from tools.licence_policy import LicencePolicy, PolicyError, StaticPart

if TYPE_CHECKING:
    from pathlib import Path

POLICY = LicencePolicy(frozenset({"MIT", "BSD-3-Clause", "Apache-2.0"}), {}, {"libcodec": "MIT"}, (), ())
PAGE = {
    "packages": {
        "": {"name": "page"},
        "node_modules/@scope/shown": {"version": "2.0.0", "license": "MIT"},
        "node_modules/builder": {"version": "3.0.0", "license": "MPL-2.0", "dev": True},
    }
}


class Environment:
    """A folder that looks like an environment with a few distributions in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.packages = folder / "lib/python3.11/site-packages"
        self.page = folder / "package-lock.json"
        self.page.write_text(json.dumps(PAGE), encoding="utf-8")
        self.install("belvedere", "License-Expression: MIT")

    def install(self, name: str, *metadata: str, bills: tuple[object, ...] = ()) -> None:
        folder = self.packages / f"{name.replace('-', '_')}-1.0.dist-info"
        folder.mkdir(parents=True)
        lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *metadata]
        (folder / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
        records = [f"{folder.name}/METADATA,,"]
        for number, content in enumerate(bills):
            (folder / "sboms").mkdir(exist_ok=True)
            (folder / f"sboms/{number}.json").write_text(json.dumps(content), encoding="utf-8")
            records.append(f"{folder.name}/sboms/{number}.json,,")
        (folder / "RECORD").write_text("\n".join(records) + "\n", encoding="utf-8")

    def put(self, name: str, content: bytes = b"") -> None:
        path = self.packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def licences(self, policy: LicencePolicy = POLICY) -> dict[str, str]:
        """The licence of each reference in the bill."""
        return {each.reference: each.licence for each in components_of(self.packages, self.page, policy)}


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return Environment(tmp_path)


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        (["License-Expression: MIT OR Apache-2.0"], "MIT OR Apache-2.0"),
        (["License: BSD-3-Clause"], "BSD-3-Clause"),
        (["License: MIT License"], "MIT"),
        (["Classifier: License :: OSI Approved :: MIT License"], "MIT"),
        (["License: BSD"], ""),
        (["License: see the file"], ""),
        (["Classifier: License :: OSI Approved :: BSD License"], ""),  # which of them is not said
        (["Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: Public Domain"], ""),
        ([], ""),
    ],
)
def test_a_licence_is_read_wherever_packages_say_it_and_never_guessed(
    environment: Environment, metadata: list[str], licence: str
) -> None:
    environment.install("Some.Package", *metadata)
    assert environment.licences()["pkg:pypi/some-package@1.0"] == licence


def test_the_policy_knows_better_than_a_packages_metadata(environment: Environment) -> None:
    environment.install("old-package", "License: BSD")
    policy = replace(POLICY, packages={"old-package": "BSD-3-Clause"})
    assert environment.licences(policy)["pkg:pypi/old-package@1.0"] == "BSD-3-Clause"


def test_the_policy_knows_better_than_the_pages_lock(environment: Environment) -> None:
    policy = replace(POLICY, packages={"@scope/shown": "LicenseRef-Theirs"})
    assert "LicenseRef-Theirs" in environment.licences(policy).values()


def test_libraries_that_a_wheel_brings_are_inside_with_their_digest(environment: Environment) -> None:
    environment.install("video", "License: MIT")
    environment.put("video.libs/libcodec-0123abcd.so.62.1", b"code")
    (library,) = [
        each for each in components_of(environment.packages, environment.page, POLICY) if each.name == "libcodec"
    ]
    assert (library.within, library.version, library.licence) == ("video", "62.1", "MIT")
    assert len(library.sha256) == 64


def test_a_file_among_the_libraries_that_is_named_otherwise_is_refused(environment: Environment) -> None:
    environment.put("video.libs/other.so", b"code")
    with pytest.raises(PolicyError, match="may be anything"):
        environment.licences()


def test_what_a_package_declares_of_itself_is_inside_once(environment: Environment) -> None:
    part = {"name": "ring", "version": "2", "purl": "pkg:cargo/ring@2", "licenses": [{"expression": "MIT/Apache-2.0"}]}
    of_system = {"name": "libcodec", "version": "62-1.el8", "purl": "pkg:rpm/almalinux/libcodec@62-1.el8"}
    itself = {"name": "crypto", "version": "1.0", "purl": "pkg:pypi/crypto@1.0"}
    environment.install("crypto", "License: MIT", bills=({"components": [part, part, of_system, itself]}, {}))
    found = environment.licences()
    assert found["crypto/pkg:cargo/ring@2"] == "MIT OR Apache-2.0"
    assert [reference for reference in found if reference.startswith("crypto/")] == ["crypto/pkg:cargo/ring@2"]


def test_a_library_inside_of_another_file_is_known_by_its_bytes(environment: Environment) -> None:
    environment.install("secure", "License: MIT")
    environment.put("secure/binding.abi3.so", b"\0OpenSSL 3.5.4 30 Sep\0")
    part = StaticPart("secure", "secure/*.so", "openssl", "Apache-2.0", r"OpenSSL (\d+\.\d+\.\d+) \d")
    assert environment.licences(replace(POLICY, static_parts=[part]))["secure/pkg:generic/openssl@3.5.4"]
    gone = replace(part, evidence="LibreSSL")
    with pytest.raises(PolicyError, match="no file"):
        environment.licences(replace(POLICY, static_parts=[gone]))


def test_the_page_is_made_of_what_is_not_only_for_building_it(environment: Environment) -> None:
    assert [reference for reference in environment.licences() if "npm" in reference] == [
        "belvedere/pkg:npm/%40scope/shown@2.0.0"
    ]


def test_what_is_refused_or_unknown_is_named_with_what_brings_it() -> None:
    parts = [
        Component("generic", "libx264", "165", "GPL-2.0-or-later", "av"),
        Component("pypi", "mystery", "1", ""),
        Component("pypi", "fine", "1", "MIT"),
    ]
    refused, unknown = problems(parts, POLICY)
    assert refused == "libx264 165 (in av): GPL-2.0-or-later is neither allowed nor waived"
    assert unknown.startswith("mystery 1: no licence is known")


def test_a_bill_names_each_component_once_and_whose_part_it_is() -> None:
    parts = [Component("pypi", "belvedere", "1", "MIT"), Component("pypi", "av", "2", "MIT")]
    parts += [Component("generic", "libcodec", "", "MIT", "av", "00"), Component("npm", "av", "9", "MIT", "belvedere")]
    written = bill(parts)
    assert written["metadata"]["component"]["name"] == "belvedere"
    assert [each["name"] for each in written["components"]] == ["av", "libcodec", "av"]
    assert {"ref": "pkg:pypi/av@2", "dependsOn": ["av/pkg:generic/libcodec"]} in written["dependencies"]


def test_components_are_in_one_order_whatever_order_they_are_found_in(environment: Environment) -> None:
    for name in ("zebra", "ant", "mouse"):
        environment.install(name, "License: MIT")
    found = list(environment.licences())
    assert len(found) == 5
    assert found == sorted(found)


POLICY_FILE = 'allowed = ["MIT"]\nstatic_parts = []\nwaivers = []\n[packages]\n[libraries]\n'


def test_the_command_writes_the_same_bill_twice(environment: Environment, tmp_path: Path) -> None:
    (tmp_path / "licences.toml").write_text(POLICY_FILE, encoding="utf-8")
    for name in ("first.json", "second.json"):
        assert main(arguments(environment, tmp_path, name)) == 0
    first = (tmp_path / "first.json").read_text(encoding="utf-8")
    assert first == (tmp_path / "second.json").read_text(encoding="utf-8")
    assert json.loads(first)["bomFormat"] == "CycloneDX"


def test_the_command_writes_no_bill_where_a_licence_is_refused(
    environment: Environment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "licences.toml").write_text(POLICY_FILE, encoding="utf-8")
    environment.install("copyleft", "License: AGPL-3.0-only")
    assert main(arguments(environment, tmp_path, "bill.json")) == 1
    assert "copyleft 1.0: AGPL-3.0-only is neither allowed nor waived" in capsys.readouterr().err
    assert not (tmp_path / "bill.json").exists()


def arguments(environment: Environment, folder: Path, output: str) -> list[str]:
    files = ["--licences", str(folder / "licences.toml"), "--page", str(environment.page)]
    return [str(environment.folder), *files, "--output", str(folder / output)]
