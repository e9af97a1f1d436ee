"""What holds of a whole installation at work, whoever has described it."""

from tests.deploy.played import Installation
from tests.servers.health import readiness


class AtWork:
    """Tests for whoever has a fixture ``installation``."""

    async def test_every_service_is_ready(self, installation: Installation) -> None:
        found = {name: await readiness(page) for name, page in installation.pages.items()}
        assert {name: ready.status for name, ready in found.items()} == dict.fromkeys(found, 200)
        assert len(found) == 8

    async def test_a_front_end_with_a_token_is_served(self, installation: Installation) -> None:
        assert (await installation.served())["ok"]

    def test_the_doctor_has_nothing_grave_to_say_of_it(self, installation: Installation) -> None:
        archivist = installation.containers["archivist"]._replace(command=["doctor"])
        told = installation.playing.done("archivist", archivist)
        assert told.stdout == "ready for production, as far as can be seen from here\n"
        assert told.returncode == 0
