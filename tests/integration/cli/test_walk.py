"""From a complaint to the operator who was free, and the reason why he did not get it."""

from pathlib import Path

from tests.integration.cli.terminal import fernamt


def test_au02_au03_an_ops_persons_walk(sample_log: Path) -> None:
    """Visitor v-17 says that he waited four minutes at ten past two: three commands."""
    data = ("--data", str(sample_log))
    found = fernamt("find", "waited-while-free", "--visitor", "v-17", "--around", "14:10", *data)
    assert (found.code, found.err) == (0, "")
    assert "c-17 of v-17" in found.out
    assert "4 min 1 s, from 2026-03-10 14:10:00 to 14:14:01" in found.out
    assert "times in Europe/Berlin" in found.out
    who, seen, position, *kept = next(
        line.split() for line in found.out.splitlines() if line.startswith("ana ")
    )
    assert (who, seen) == ("ana", "14:10:00")
    assert " ".join(kept) == "lacks a skill that is asked for"

    why_not = fernamt("why-not", "ana", "c-17", "--position", position, *data)
    assert why_not.code == 0
    assert "c-17 could not go to ana" in why_not.out
    assert "lacks customs (skill_missing)" in why_not.out
    assert "1 of 5 taken, 4 free" in why_not.out

    explained = fernamt("explain", "c-17", "--at", "14:13", *data)
    assert explained.code == 0
    assert "c-17 waits" in explained.out
    assert "nobody with a free slot has the skills it asks for (skill_missing)" in explained.words
    assert "the same, byte for byte" in explained.out


def test_au03_the_command_that_leads_on_is_printed(sample_log: Path) -> None:
    found = fernamt("find", "--visitor", "v-17", "--around", "14:10", "--data", str(sample_log))
    (line,) = [line for line in found.out.splitlines() if "fernamt why-not" in line]
    on = line.partition("fernamt ")[2].split()
    assert "lacks customs" in fernamt(*on, "--data", str(sample_log)).out
