"""Every story is proved when it has been told: replayed, encoded, restored."""

from collections.abc import Iterator

import pytest

from tests.core.proof import prove
from tests.core.story import Story


@pytest.fixture
def story() -> Iterator[Story]:
    """An empty workspace at a fixed time; what happened in it is proved after the test."""
    told = Story()
    yield told
    prove(told.log, told.workspace)
