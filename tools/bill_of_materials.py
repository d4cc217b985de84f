"""Lists what is inside a Python environment with Belvedere, as CycloneDX, unless the policy refuses a licence of it.

    python3 -m tools.bill_of_materials ENVIRONMENT --licences FILE --page web/package-lock.json --output FILE

Inside are the distributions that are installed, the shared libraries that wheels bring, what those declare in bills of
their own (PEP 770), libraries that are linked into other files, and the packages of which the page is made. What the
base of an image brings is not listed. The bill has no time and no random number: the same content makes the same bill.
Exits with 1 and a line for each problem. Runs with the standard library alone: the image's builder has no more.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.licence_policy import LicencePolicy, PolicyError, read_policy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from importlib.metadata import Distribution

SPEC_VERSION = "1.6"
OURS = "belvedere"
SHARED_LIBRARY = re.compile(r"^(lib.+?)-[0-9a-f]{8}\.so(?:\.([\d.]+))?$")  # as auditwheel names them
IN_WORDS = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
SPDX_LIKE = re.compile(r"^[A-Za-z0-9.+-]+(?: (?:AND|OR|WITH) [A-Za-z0-9.+-]+)*$")
AUTHOR_TEXT = {"BSD", "UNKNOWN"}  # what packages say that is no identifier


@dataclass(frozen=True, slots=True)
class Component:
    """One thing that is inside.

    Attributes:
        kind: where it comes from: `pypi`, `npm`, `cargo` or `generic`, as in package URLs.
        name, version: as its publisher says; a shared library may have no version but that of its interface.
        licence: an SPDX expression; empty where nothing says it.
        within: the distribution that brings it; empty for a distribution.
        sha256: of the file, for a shared library.
    """

    kind: str
    name: str
    version: str
    licence: str
    within: str = ""
    sha256: str = field(default="", compare=False)

    @property
    def reference(self) -> str:
        """What identifies it in the bill."""
        return f"{self.within}/{self.purl}" if self.within else self.purl

    @property
    def purl(self) -> str:
        """Its package URL."""
        name = self.name.replace("@", "%40")
        return f"pkg:{self.kind}/{name}@{self.version}" if self.version else f"pkg:{self.kind}/{name}"


def components_of(packages: Path, page_lock: Path, policy: LicencePolicy) -> list[Component]:
    """Everything inside, in the order of their references. Raises PolicyError for a static part that is not there."""
    found = set(_page_packages(page_lock, policy))
    for distribution in distributions(path=[str(packages)]):
        found.add(_of_distribution(distribution, policy))
        found.update(_declared(distribution, policy))
    found.update(_shared_libraries(packages, policy))
    found.update(_static_parts(packages, policy))
    return sorted(found, key=lambda component: component.reference)


def problems(components: Sequence[Component], policy: LicencePolicy) -> list[str]:
    """What the policy does not allow, or does not know, one line each."""
    found = []
    for component in components:
        of = f" (in {component.within})" if component.within else ""
        if not component.licence:
            found.append(f"{component.name} {component.version}{of}: no licence is known: look it up and list it")
        elif not policy.allows(component.name, component.licence):
            found.append(f"{component.name} {component.version}{of}: {component.licence} is neither allowed nor waived")
    return found + policy.unused({component.name: component.licence for component in components})


def bill(components: Sequence[Component]) -> dict[str, Any]:
    """The bill as a CycloneDX document."""
    (ours,) = [component for component in components if component.name == OURS]
    others = [component for component in components if component is not ours]
    return {
        "$schema": f"http://cyclonedx.org/schema/bom-{SPEC_VERSION}.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": {"component": {**_entry(ours), "type": "application"}},
        "components": [_entry(component) for component in others],
        "dependencies": _dependencies(ours, others),
    }


def _dependencies(ours: Component, others: Sequence[Component]) -> list[dict[str, Any]]:
    """What is directly in our environment, and what a distribution brings inside of itself."""
    inside: dict[str, list[str]] = {}
    by_name = {component.name: component.reference for component in others if component.kind == "pypi"}
    for component in others:
        owner = by_name.get(component.within, ours.reference)
        inside.setdefault(owner, []).append(component.reference)
    return [{"ref": owner, "dependsOn": references} for owner, references in sorted(inside.items())]


def _entry(component: Component) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "type": "library",
        "bom-ref": component.reference,
        "name": component.name,
        "purl": component.purl,
        "licenses": [{"expression": component.licence}],
    }
    if component.version:
        entry["version"] = component.version
    if component.sha256:
        entry["hashes"] = [{"alg": "SHA-256", "content": component.sha256}]
    return entry


def _of_distribution(distribution: Distribution, policy: LicencePolicy) -> Component:
    name = _normalized(distribution.metadata["Name"])
    return Component("pypi", name, distribution.version, policy.packages.get(name) or _licence_of(distribution))


def _licence_of(distribution: Distribution) -> str:
    """The SPDX expression that its metadata give, by any of the three ways that packages use; or nothing."""
    metadata = distribution.metadata
    expression, text = metadata["License-Expression"], (metadata["License"] or "").strip()
    if expression:
        return str(expression)
    if text in IN_WORDS:
        return IN_WORDS[text]
    if SPDX_LIKE.match(text) and text not in AUTHOR_TEXT:
        return text
    named = [line.rpartition(" :: ")[2] for line in metadata.get_all("Classifier", []) if line.startswith("License")]
    known = sorted({IN_WORDS[each] for each in named if each in IN_WORDS})
    return known[0] if len(known) == len(named) == 1 else ""


def _declared(distribution: Distribution, policy: LicencePolicy) -> Iterator[Component]:
    """What a distribution lists in bills of its own, except shared libraries, which are read from their files."""
    within = _normalized(distribution.metadata["Name"])
    for file in distribution.files or ():
        if file.parent.name != "sboms" or file.suffix != ".json":
            continue
        for entry in json.loads(file.read_text(encoding="utf-8")).get("components", ()):
            kind = re.sub(r"^pkg:(\w+)/.*", r"\1", entry.get("purl", "pkg:generic/"))
            if kind in {"rpm", "apk", "deb"} or _normalized(entry["name"]) == within:
                continue
            licence = _declared_licence(entry) or policy.libraries.get(entry["name"], "")
            yield Component(kind, entry["name"], entry.get("version", ""), licence, within)


def _declared_licence(entry: dict[str, Any]) -> str:
    given = [each.get("expression") or each.get("license", {}).get("id", "") for each in entry.get("licenses", ())]
    return " AND ".join(given).replace("/", " OR ")  # Rust's packages wrote / before they wrote OR


def _shared_libraries(packages: Path, policy: LicencePolicy) -> Iterator[Component]:
    for file in sorted(packages.glob("*.libs/*.so*")):
        named = SHARED_LIBRARY.match(file.name)
        if named is None:
            raise PolicyError(f"{file}: not named as the libraries of wheels are: it may be anything")
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        within = _normalized(file.parent.name.removesuffix(".libs"))
        yield Component("generic", named[1], named[2] or "", policy.libraries.get(named[1], ""), within, sha256=digest)


def _static_parts(packages: Path, policy: LicencePolicy) -> Iterator[Component]:
    for part in policy.static_parts:
        for file in sorted(packages.glob(part.file)):
            found = re.search(part.evidence.encode(), file.read_bytes())
            if found is not None:
                version = found[1].decode() if found.groups() else ""
                yield Component("generic", part.name, version, part.licence, part.package)
                break
        else:
            raise PolicyError(f"{part.package}: no file {part.file} has the marks of {part.name}: correct the policy")


def _page_packages(page_lock: Path, policy: LicencePolicy) -> Iterator[Component]:
    """The packages of the page's lock that are not only for building it."""
    for path, entry in json.loads(page_lock.read_text(encoding="utf-8"))["packages"].items():
        if path and not entry.get("dev") and not entry.get("devOptional"):
            name = path.rpartition("node_modules/")[2]
            licence = policy.packages.get(name) or entry.get("license", "")
            yield Component("npm", name, entry["version"], licence, OURS)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the bill; returns 1, after a line for each problem, where the policy refuses something."""
    parser = argparse.ArgumentParser(description="Lists what is inside an environment.")
    parser.add_argument("environment", type=Path)
    parser.add_argument("--licences", type=Path, required=True)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    options = parser.parse_args(arguments)
    try:
        policy = read_policy(options.licences)
        (packages,) = options.environment.glob("lib/python3*/site-packages")
        components = components_of(packages, options.page, policy)
        found = problems(components, policy)
    except PolicyError as error:
        found, components = [str(error)], []
    for line in found:
        print(line, file=sys.stderr)
    if found:
        return 1
    options.output.write_text(json.dumps(bill(components), indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
