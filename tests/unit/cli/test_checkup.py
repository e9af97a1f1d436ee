"""What the doctor finds grave, what it notes, and what it lets pass."""

import os
from pathlib import Path

import pytest

from services.cli.checkup import is_near, of_broker, of_directory, of_environment, of_postgres
from shared.adapters.nats_greeting import Greeting
from shared.adapters.postgres_state import PostgresState

SOUND = PostgresState(
    role="services",
    superuser=False,
    encrypted=True,
    address="192.0.2.7",
    off=[],
    changes_log=[],
    guarded=True,
    asks_no_proof=False,
)
GUARDED = Greeting(auth_required=True, tls_required=True)
ME = os.geteuid()
STORE = f"postgresql://services:{'x' * 24}@db.example/fernamt"


def test_a_sound_database_passes() -> None:
    assert list(of_postgres(SOUND)) == []
    near = SOUND._replace(encrypted=False, address="127.0.0.1/32")
    assert list(of_postgres(near)) == []


@pytest.mark.parametrize(
    ("state", "what"),
    [
        (SOUND._replace(off=["fsync"]), "fsync off"),
        (SOUND._replace(off=["synchronous_commit"]), "synchronous_commit off"),
        (SOUND._replace(superuser=True, changes_log=["update"]), "is a superuser"),
        (SOUND._replace(changes_log=["update", "delete"]), "may update, delete on the log"),
        (SOUND._replace(guarded=False), "trigger is off"),
        (SOUND._replace(asks_no_proof=True), "whatever the password is"),
        (SOUND._replace(encrypted=False), "not encrypted"),
    ],
)
def test_what_is_wrong_with_a_database_is_grave(state: PostgresState, what: str) -> None:
    (finding,) = of_postgres(state)
    assert finding.grave
    assert what in finding.what
    assert finding.remedy


def test_a_broker_that_asks_and_encrypts_passes() -> None:
    assert list(of_broker("nats.example", 4222, GUARDED)) == []
    assert list(of_broker("127.0.0.1", 4222, Greeting(auth_required=True))) == []


@pytest.mark.parametrize(
    ("greeting", "what"),
    [
        (Greeting(tls_required=True), "asks nobody"),
        (Greeting(auth_required=True), "without TLS"),
    ],
)
def test_what_is_wrong_with_a_broker_is_grave(greeting: Greeting, what: str) -> None:
    (finding,) = of_broker("nats.example", 4222, greeting)
    assert finding.grave
    assert what in finding.what


def test_an_environment_that_says_who_this_is_with_keys_of_its_own_passes(tmp_path: Path) -> None:
    key, seal = tmp_path / "router.nk", tmp_path / "seal"
    for file in (key, seal):
        file.touch(mode=0o600)
    sound = {"FERNAMT_NATS_NKEY_FILE": str(key), "FERNAMT_SEAL_KEY_FILE": str(seal)}
    assert list(of_environment(sound, STORE, ME)) == []
    key.chmod(0o640)
    (finding,) = of_environment(sound, STORE, ME)
    assert finding.grave
    assert finding.remedy == f"chmod 600 {key}"


def test_a_key_that_is_read_by_its_group_alone_passes_for_who_does_not_own_it(
    tmp_path: Path,
) -> None:
    key = tmp_path / "router.nk"
    key.touch()
    key.chmod(0o440)
    sound = {"FERNAMT_NATS_NKEY_FILE": str(key), "FERNAMT_SEAL_KEY_FILE": str(tmp_path / "none")}
    assert list(of_environment(sound, STORE, ME + 1)) == []
    for mode in (0o444, 0o460):
        key.chmod(mode)
        assert [finding.grave for finding in of_environment(sound, STORE, ME + 1)] == [True]


def test_what_is_missing_in_an_environment(tmp_path: Path) -> None:
    findings = list(of_environment({}, "postgresql://services:fernamt@db.example/fernamt", ME))
    assert [finding.grave for finding in findings] == [True, True, False]
    assert "nothing about who it is" in findings[0].what
    assert "fewer than 16 characters" in findings[1].what
    assert "fernamt@" not in " ".join(finding.what for finding in findings)
    assert "seals lies beside the log" in findings[2].what


def test_a_log_in_a_directory_is_a_note_and_others_who_look_into_it_are_grave(
    tmp_path: Path,
) -> None:
    tmp_path.chmod(0o700)
    assert [finding.grave for finding in of_directory(tmp_path)] == [False]
    tmp_path.chmod(0o755)
    assert [finding.grave for finding in of_directory(tmp_path)] == [False, True]


def test_who_is_near() -> None:
    for host in ("", "localhost", "127.0.0.1", "127.8.8.8", "::1", "127.0.0.1/32"):
        assert is_near(host)
    for host in ("nats.example", "192.0.2.7", "0.0.0.0", "localhost.example"):  # noqa: S104
        assert not is_near(host)
