"""Which keys of settled things there are, in a few bytes each.

It may take something for settled that never was: once in millions of times. Never the other way
round.
"""

from array import array
from bisect import bisect_left
from collections.abc import Iterable

from shared.ports.archive import SettledKey

_BUCKETS_MAX = 4_096
_DIGEST_BITS = 32


class SettledKeys:
    """Digests in buckets, sorted in each: 4 bytes a key, found in a microsecond.

    A bucket of a million keys holds 250, so that one more is put in by moving half a kilobyte.
    """

    def __init__(self) -> None:
        self._buckets: dict[int, array[int]] = {}

    def add(self, keys: Iterable[SettledKey]) -> None:
        for key in keys:
            bucket, digest = _place(key)
            digests = self._buckets.get(bucket)
            if digests is None:
                digests = self._buckets[bucket] = array("I")
            at = bisect_left(digests, digest)
            if at == len(digests) or digests[at] != digest:
                digests.insert(at, digest)

    def __contains__(self, key: SettledKey) -> bool:
        bucket, digest = _place(key)
        digests = self._buckets.get(bucket)
        if digests is None:
            return False
        at = bisect_left(digests, digest)
        return at < len(digests) and digests[at] == digest

    @property
    def size_bytes(self) -> int:
        return sum(len(digests) * digests.itemsize for digests in self._buckets.values())


def _place(key: SettledKey) -> tuple[int, int]:
    """Bucket and digest. They are of this process alone: hashes of texts differ between two."""
    digest = hash(key)
    return digest % _BUCKETS_MAX, (digest >> 12) % (1 << _DIGEST_BITS)
