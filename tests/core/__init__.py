"""Specifications of the pure core: what follows from what, told as stories."""

import pytest

pytest.register_assert_rewrite("tests.core.story", "tests.core.proof")
