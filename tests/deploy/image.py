"""The image as its Dockerfile describes it, without an engine to build it."""

import json
import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from tests.tidy.sources import ROOT, modules

DOCKERFILE = ROOT / "Dockerfile"
_VARIABLE = re.compile(r"FERNAMT_[A-Z]+(?:_[A-Z]+)*")


class Instruction(NamedTuple):
    """``COPY . .`` as ``("COPY", ". .")``."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Of the exec form. Raises ``ValueError`` for one that needs a shell."""
        words: list[str] = json.loads(self.text[self.text.index("[") :])
        return words


class Image(NamedTuple):
    """What the last stage leaves to whoever starts a container."""

    environment: dict[str, str]
    entrypoint: list[str]
    healthcheck: list[str]
    user: str


@cache
def image() -> Image:
    last = list(instructions(DOCKERFILE.read_text(encoding="utf-8")))
    while "FROM" in (names := [instruction.name for instruction in last]):
        last = last[names.index("FROM") + 1 :]
    by_name = {instruction.name: instruction for instruction in last}
    environment = dict(word.split("=", 1) for word in shlex.split(by_name["ENV"].text))
    return Image(
        environment,
        by_name["ENTRYPOINT"].words,
        by_name["HEALTHCHECK"].words,
        by_name["USER"].text,
    )


def instructions(text: str) -> Iterator[Instruction]:
    """The instructions in order, each on one line."""
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for line in "\n".join(lines).replace("\\\n", " ").splitlines():
        name, _, rest = line.partition(" ")
        yield Instruction(name, rest.strip())


@cache
def known_variables() -> frozenset[str]:
    """Every setting that the code reads from the environment."""
    texts = (module.text for module in modules("services", "shared"))
    return frozenset(
        name for text in texts for name in re.findall(rf'"({_VARIABLE.pattern})"', text)
    )
