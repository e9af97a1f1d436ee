"""The hash that assigns workspaces to partitions is part of the stored format."""

import pytest

from shared.routing.ids import WorkspaceId
from shared.routing.partition import PARTITIONS, fnv1a32, partition_of


@pytest.mark.parametrize(
    ("text", "value"),
    [("", 0x811C9DC5), ("a", 0xE40C292C), ("b", 0xE70C2DE5), ("foobar", 0xBF9CF968)],
)
def test_the_hash_is_the_published_one(text: str, value: int) -> None:
    assert fnv1a32(text) == value


def test_the_hash_is_over_utf8() -> None:
    assert fnv1a32("é") == fnv1a32("é".encode().decode()) != fnv1a32("\xc3\xa9")


@pytest.mark.parametrize(("workspace", "partition"), [("north", 4), ("south", 58), ("west", 46)])
def test_a_workspace_never_changes_its_partition(workspace: str, partition: int) -> None:
    assert partition_of(WorkspaceId(workspace)) == partition


def test_workspaces_spread_over_all_partitions() -> None:
    counts = [0] * PARTITIONS
    for number in range(6_400):
        counts[partition_of(WorkspaceId(f"workspace-{number}"))] += 1
    assert min(counts) > 50
    assert max(counts) < 200
