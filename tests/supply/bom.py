"""The bill of materials of what runs, in CycloneDX: every package with its files' hashes."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import (
    ExternalReference,
    ExternalReferenceType,
    HashAlgorithm,
    HashType,
    Property,
    XsUri,
)
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from tests.supply.licences import licence_of
from tests.supply.lock import Pinned
from tests.tidy.sources import ROOT

FILE = ROOT / "build" / "fernamt.cdx.json"
VERSION = SchemaVersion.V1_6

_licences = LicenseFactory()


def bill_of(packages: Sequence[Pinned]) -> str:
    """The document. Raises ``ValueError`` where it is not what CycloneDX wants."""
    ours = _ours()
    parts = {package.name: _part(package) for package in packages}
    bom = Bom(components=parts.values())
    bom.metadata.component = ours
    by_name: Mapping[str, Component] = {ours.name: ours, **parts}
    for name, asking in by_name.items():
        asked = [parts[package.name] for package in packages if name in package.via]
        bom.register_dependency(asking, asked)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    if fault := JsonStrictValidator(VERSION).validate_str(text):
        raise ValueError(f"the bill of materials is none: {fault}")
    return text


def write(packages: Sequence[Pinned], file: Path = FILE) -> None:
    file.parent.mkdir(exist_ok=True)
    file.write_text(bill_of(packages) + "\n", encoding="utf-8")


def _ours() -> Component:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return Component(
        type=ComponentType.APPLICATION,
        name=project["name"],
        version=project["version"],
        description=project["description"],
        licenses=[_licences.make_from_string(project["license"])],
        bom_ref=project["name"],
    )


def _part(package: Pinned) -> Component:
    url = PackageURL("pypi", name=package.name, version=package.version)
    files = ExternalReference(
        type=ExternalReferenceType.DISTRIBUTION,
        url=XsUri(url.to_string()),
        comment="all files of this version, of which each machine takes one",
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in package.hashes],
    )
    licence = licence_of(package.name)
    marker = Property(name="fernamt:marker", value=package.marker)
    return Component(
        type=ComponentType.LIBRARY,
        name=package.name,
        version=package.version,
        purl=url,
        bom_ref=package.name,
        licenses=[_licences.make_from_string(licence)] if licence else [],
        external_references=[files],
        properties=[marker] if package.marker else [],
    )
