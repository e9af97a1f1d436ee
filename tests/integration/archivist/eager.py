"""``fernamt`` with an archivist that takes a snapshot after every few events. For tests alone."""

from functools import partial

import pytest

from services.archivist.keeping import Settings
from services.archivist.service import Archivist
from services.cli import running
from services.cli.main import app

EVERY = 40


def main() -> None:
    eager = partial(Archivist, settings=Settings(EVERY, 2**30))
    services = {**running.SERVICES, running.ServiceName.ARCHIVIST: eager}
    patch = pytest.MonkeyPatch()
    for module in ("services.cli.running", "services.cli.run"):
        patch.setattr(f"{module}.SERVICES", services)
    app()


if __name__ == "__main__":
    main()
