"""``deploy/compose.yaml`` as Compose reads it: anchors merged, variables filled in."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

from tests.deploy.image import image
from tests.tidy.sources import ROOT

DEPLOY = ROOT / "deploy"
FILE = DEPLOY / "compose.yaml"
SECRETS = "/run/secrets"

Fields = dict[str, Any]

_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def composition(environment: Mapping[str, str], text: str = "") -> Fields:
    """The whole file. Raises ``LookupError`` for a variable that has to be set and is not."""
    read: Fields = yaml.safe_load(text or FILE.read_text(encoding="utf-8"))
    filled: Fields = _filled(read, environment)
    return filled


def _filled(value: Any, environment: Mapping[str, str]) -> Any:
    match value:
        case dict():
            return {key: _filled(each, environment) for key, each in value.items()}
        case list():
            return [_filled(each, environment) for each in value]
        case str():
            return _VARIABLE.sub(lambda found: _value_of(found, environment), value)
        case _:
            return value


def _value_of(found: re.Match[str], environment: Mapping[str, str]) -> str:
    name, how, rest = found.groups()
    if given := environment.get(name):
        return given
    if how != "-":
        raise LookupError(f"{name}: {rest}")
    return str(rest)


def ours(whole: Fields) -> Mapping[str, Fields]:
    """The containers of Fernamt's own image, by name."""
    return {name: each for name, each in whole["services"].items() if each["image"] == "fernamt"}


def settings_of(service: Fields) -> Mapping[str, str]:
    """The environment it gets from the image and from its own lines, without ``env_file``."""
    return {**image().environment, **service.get("environment", {})}


def mounted(service: Fields) -> Mapping[str, str]:
    """Paths within the container that are secrets or configurations, each with its name."""
    paths = {}
    for each in (*service.get("secrets", ()), *service.get("configs", ())):
        name, target = (each, each) if isinstance(each, str) else (each["source"], each["target"])
        paths[target if target.startswith("/") else f"{SECRETS}/{target}"] = name
    return paths
