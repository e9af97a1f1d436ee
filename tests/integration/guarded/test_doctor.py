"""The doctor's opinion of a guarded installation, and of one that is none."""

import asyncio
from pathlib import Path

from tests.integration.guarded.site import Site, said
from tests.servers.nats import NatsServer
from tests.servers.service_role import as_services


def test_the_doctor_has_nothing_grave_to_say_of_it(site: Site) -> None:
    told = said("doctor", environment=site.environment("router"))
    assert (told.code, told.err) == (0, "")
    assert "grave" not in told.out
    assert told.out.endswith("ready for production, as far as can be seen from here\n")


async def test_the_doctor_finds_a_broker_that_asks_nobody_and_an_owner_at_work(
    nats: NatsServer, postgres_url: str
) -> None:
    environment = {"FERNAMT_NATS_URL": nats.url, "FERNAMT_STORE_URL": postgres_url}
    migrated = await asyncio.to_thread(said, "migrate", environment=environment)
    assert migrated.code == 0
    told = await asyncio.to_thread(said, "doctor", environment=environment)
    assert told.code == 1
    for grave in ("asks nobody who he is", "is a superuser", "whatever the password is"):
        assert grave in told.out
    assert told.out.endswith("not ready for production\n")
    environment["FERNAMT_STORE_URL"] = await as_services(postgres_url)
    told = await asyncio.to_thread(said, "doctor", environment=environment)
    assert "superuser" not in told.out
    assert "on the log" not in told.out


def test_the_doctor_says_what_was_not_reached(tmp_path: Path) -> None:
    nowhere = {
        "FERNAMT_NATS_URL": "nats://127.0.0.1:1",
        "FERNAMT_STORE_URL": f"sqlite:///{tmp_path}",
    }
    assert said("doctor", environment=nowhere).code == 2
    assert said("doctor").code == 2
