"""Words, numbers, durations and times, in the language of whoever looks.

The texts lie in ``words``, one file for each language with the same keys in all.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

Language = Literal["en", "de"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "en"

_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_FOLDER = Path(__file__).parent / "words"

Catalogue = Mapping[str, Mapping[str, str]]


@cache
def catalogue(language: Language) -> Catalogue:
    """Every text of one language, by section and key."""
    text = (_FOLDER / f"{language}.json").read_bytes()
    return msgspec.json.decode(text, type=dict[str, dict[str, str]])


def language_of(accepted: str) -> Language:
    """What ``Accept-Language`` likes best among ours."""
    liked: list[tuple[float, int, Language]] = []
    for place, part in enumerate(accepted.split(",")[:20]):
        tag, _, quality = part.partition(";q=")
        spoken = tag.strip().lower().partition("-")[0]
        liked += [(-_quality(quality), place, one) for one in LANGUAGES if one == spoken]
    return min(liked)[2] if liked else DEFAULT


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def zone_of(name: str) -> ZoneInfo:
    """The zone, UTC where it is not known on this machine."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def duration(ms: int) -> str:
    """``4 min 02 s``: the two largest units, the same in every language."""
    seconds = max(ms, 0) // 1_000
    if seconds < 1:
        return f"{max(ms, 0)} ms" if ms else "0 s"
    days, hours, minutes = seconds // 86_400, seconds // 3_600 % 24, seconds // 60 % 60
    if days:
        return f"{days} d {hours:02d} h"
    if seconds >= 3_600:
        return f"{hours} h {minutes:02d} min"
    if minutes:
        return f"{minutes} min {seconds % 60:02d} s"
    return f"{seconds} s"


class Words:
    """One language and one zone."""

    def __init__(self, language: Language, zone: str = "UTC") -> None:
        self.language = language
        self.zone = zone_of(zone)
        self._texts = catalogue(language)

    def __call__(self, key: str, /, **fields: object) -> str:
        """``live.title`` and the like. Raises ``KeyError``: templates name what there is."""
        section, _, name = key.partition(".")
        text = self._texts[section][name]
        return text.format(**fields) if fields else text

    def of(self, section: str, code: object) -> str:
        """The words for a code, or the code itself from an engine that is newer than this."""
        return self._texts[section].get(str(code), str(code).replace("_", " "))

    def __contains__(self, key: str) -> bool:
        section, _, name = key.partition(".")
        return name in self._texts.get(section, {})

    def number(self, n: float) -> str:
        """With the thousands set apart."""
        return f"{n:,}".replace(",", "." if self.language == "de" else ",")

    duration = staticmethod(duration)

    def local(self, ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1_000, UTC).astimezone(self.zone)

    def clock(self, ms: int) -> str:
        """``14:03:22``"""
        return self.local(ms).strftime("%H:%M:%S")

    def day(self, ms: int) -> str:
        at = self.local(ms)
        if self.language == "de":
            return f"{at.day}. {at.month}. {at.year}"
        return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"

    def moment(self, ms: int) -> str:
        """Day and time, to the second."""
        return f"{self.day(ms)}, {self.clock(ms)}"

    def near(self, ms: int, now: int) -> str:
        """The time alone if that was today, as seen from another moment."""
        return self.clock(ms) if self.day(ms) == self.day(now) else self.moment(ms)

    def iso(self, ms: int) -> str:
        return self.local(ms).isoformat(timespec="milliseconds")

    def field_time(self, ms: int) -> str:
        """As a field for local time holds it, to the second."""
        return self.local(ms).strftime("%Y-%m-%dT%H:%M:%S")

    def read_time(self, text: str) -> int | None:
        """Unix milliseconds of what such a field holds; nothing if that is no time."""
        try:
            read = datetime.fromisoformat(text.strip())
        except ValueError:
            return None
        at = read if read.tzinfo is not None else read.replace(tzinfo=self.zone)
        return round(at.timestamp() * 1_000)

    @property
    def zone_name(self) -> str:
        return self.zone.key

    def texts(self, section: str) -> Mapping[str, Any]:
        """A section as a whole, for scripts."""
        return self._texts[section]
