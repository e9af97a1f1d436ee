"""Which of the 64 partitions a workspace belongs to. Fixed for ever: leases are taken by it."""

from functools import lru_cache

from shared.routing.ids import WorkspaceId

PARTITIONS = 64

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193


def fnv1a32(text: str) -> int:
    """FNV-1a over the UTF-8 bytes, 32 bits (Fowler, Noll, Vo)."""
    value = _FNV_OFFSET
    for byte in text.encode():
        value = (value ^ byte) * _FNV_PRIME & 0xFFFFFFFF
    return value


# An id of 20 letters costs 2 us, which a writer would pay for every append.
@lru_cache(maxsize=65_536)
def partition_of(workspace_id: WorkspaceId) -> int:
    """The partition, 0 to 63, whose lease allows writing to the workspace."""
    return fnv1a32(workspace_id) % PARTITIONS
