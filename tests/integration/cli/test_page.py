"""The README's examples of questions say what is said of the sample's day."""

import re
import shlex
from pathlib import Path

import pytest

from tests.integration.cli.terminal import fernamt
from tests.servers.engine import ROOT


def _examples() -> list[tuple[str, str]]:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(r"^```\n\$ fernamt (.*?)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(found) == 3
    return found


@pytest.mark.parametrize(("command", "expected"), _examples())
def test_au02_au03_the_page_shows_what_is_printed(
    command: str, expected: str, sample_log: Path
) -> None:
    """``...`` stands for lines that are left out."""
    said = fernamt(*shlex.split(command), "--data", str(sample_log))
    parts = [re.escape(part) for part in re.split(r"^\.\.\.\n", expected, flags=re.MULTILINE)]
    assert re.fullmatch("(?:.*\n)+".join(parts), said.out), said.out
