"""Addresses of pages in one normal form, so that a rule and a browser mean the same by them.

Scheme and host are in lower case, hosts in Unicode, without the scheme's own port and without user
names. Characters are written as such where that cannot be mistaken (``caf%C3%A9`` is ``café``),
all others as ``%2F`` in upper case. ``.`` and ``..`` are resolved, and a host is followed by a
path. The part behind ``#`` is dropped, unless it is a page of a single-page application (``#/`` or
``#!``). Nothing raises, whatever the text.
"""

import re
from encodings import idna
from functools import lru_cache
from typing import Literal, NamedTuple
from unicodedata import normalize
from urllib.parse import unquote_plus

_PARTS = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):)?(?://(?P<authority>[^/?#]*))?"
    r"(?P<path>[^?#]*)(?:\?(?P<query>[^#]*))?(?:#(?P<fragment>.*))?",
    re.DOTALL,
)
_HARMLESS = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]*")
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNSAFE = re.compile(r"%(?![0-9A-Fa-f]{2})|[\x00-\x20\x7f\"<>\\^`{|}]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DOTS = re.compile("[\u3002\uff0e\uff61]")
_PORT = re.compile(r":([0-9]*)\Z")
_OWN_PORTS = {"http": "80", "ws": "80", "https": "443", "wss": "443", "ftp": "21"}
_BROWSED = re.compile(r"\Ahttps?:[^?#]*", re.IGNORECASE)
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_AROUND = "".join(map(chr, range(0x21)))
_LABEL_MAX = 63
"""Longer ones are no names of hosts; what normalises them is slow with long texts."""

Extent = Literal["whole", "beginning", "pattern"]
"""How much of an address is written. A whole one has a path, at least ``/``, and so has a beginning
with a complete host: ``https://example.org`` begins no address at ``example.org.evil.example``. One
that ends within a host (``https://fr.``, ``http://local``) is left so; patterns are anyway."""
PARAMETERS_MAX = 1_000


class Address(NamedTuple):
    """An address, and the parts of it that rules look at; empty where there is none."""

    text: str
    without_scheme: str
    host: str
    """Without a port."""
    path: str
    query: str
    """As it came."""

    def parameters(self) -> dict[str, str]:
        """The parameters of the query; of several with one name the first."""
        found: dict[str, str] = {}
        for pair in self.query.split("&", PARAMETERS_MAX)[:PARAMETERS_MAX]:
            name, _, value = pair.partition("=")
            if name:
                found.setdefault(unquote_plus(name), unquote_plus(value))
        return found


@lru_cache(maxsize=4_096)
def address_of(text: str) -> Address:
    """The address that ``text`` is."""
    return _taken_apart(text, "whole")


def address_wanted(text: str, extent: Extent) -> str:
    """An address as the author of a rule writes it; one without a scheme stays without."""
    bare = text.strip(_AROUND)
    slashes = bare.startswith("//")
    if not bare or (bare[0] in "/?#" and not slashes):
        return text_of(bare)
    if "://" not in bare and not slashes:
        bare = f"//{bare}"
    return _taken_apart(bare, extent).text.removeprefix("//")


def text_of(part: str) -> str:
    """Any piece of an address with its characters in normal form."""
    if _HARMLESS.fullmatch(part):
        return part
    if not part.isascii():
        part = normalize("NFC", _SURROGATE.sub("\ufffd", part))
    part = _ENCODED.sub(_plainer, _UNSAFE.sub(_percent, part))
    return part if part.isascii() else normalize("NFC", part)


def host_of(text: str) -> str:
    """The name of a host in lower case and Unicode."""
    lowered = text_of(text.strip(_AROUND)).lower().removesuffix(".")
    if lowered.isascii() and "xn--" not in lowered:
        return lowered
    return ".".join(map(_label, _DOTS.sub(".", lowered).split("."))).removesuffix(".")


def _taken_apart(text: str, extent: Extent) -> Address:
    text = text.strip(_AROUND)
    if "\\" in text:  # browsers take it for a slash
        text = _BROWSED.sub(_slashed, text, count=1)
    parts = _PARTS.fullmatch(text)
    assert parts is not None  # every text has this form
    scheme = (parts["scheme"] or "").lower()
    raw, query = parts["authority"], parts["query"]
    host, port = _host_and_port(raw or "", scheme)
    path = _without_dots(text_of(parts["path"]))
    if host and not path:
        complete = "." in host or bool(port)
        if extent == "beginning" and query is None and (raw or "").endswith("."):
            path = "."  # of the host, which goes on
        elif extent == "whole" or (extent == "beginning" and complete):
            path = "/"
    kept = query or (query is not None and extent != "whole")
    asked = f"?{text_of(query or '')}" if kept else ""
    fragment = parts["fragment"] or ""
    page = f"#{text_of(fragment)}" if fragment.startswith(("/", "!")) else ""
    rest = f"{host}{port}{path}{asked}{page}"
    slashes = "" if raw is None else "//"
    text = f"{scheme}:{slashes}{rest}" if scheme else f"{slashes}{rest}"
    return Address(text, rest, host, path, query or "")


def _host_and_port(authority: str, scheme: str) -> tuple[str, str]:
    """Without a user's name and password, and without the port that the scheme has anyway."""
    named = authority.rpartition("@")[2]
    port = _PORT.search(named)
    if port is None or named.endswith("]"):
        return host_of(named), ""
    number = port[1].lstrip("0")
    own = not number or _OWN_PORTS.get(scheme) == number
    return host_of(named[: port.start()]), "" if own else f":{number}"


def _without_dots(path: str) -> str:
    """The path with ``.`` and ``..`` resolved; nothing lies above its beginning."""
    if not path.startswith("/") or "/." not in path:
        return path
    first, *segments = path.split("/")
    kept = [first]
    for segment in segments:
        if segment == "..":
            del kept[max(len(kept) - 1, 1) :]
        elif segment != ".":
            kept.append(segment)
    if segments[-1] in {".", ".."}:
        kept.append("")
    return "/".join(kept)


def _plainer(encoded: re.Match[str]) -> str:
    """What a run of ``%C3%A9`` stands for, but for what has a meaning of its own or none at all."""
    raw = bytes.fromhex(encoded[0].replace("%", ""))
    text = normalize("NFC", raw.decode("utf-8", "surrogateescape"))
    return "".join(
        letter
        if letter in _UNRESERVED or (letter > "\x7f" and letter.isprintable())
        else _hex(letter)
        for letter in text
    )


def _slashed(address: re.Match[str]) -> str:
    return address[0].replace("\\", "/")


def _percent(unsafe: re.Match[str]) -> str:
    return _hex(unsafe[0])


def _hex(letter: str) -> str:
    return "".join(f"%{byte:02X}" for byte in letter.encode("utf-8", "surrogateescape"))


def _label(label: str) -> str:
    """One part of a host's name in Unicode, as it came where it is no name at all."""
    if len(label) > _LABEL_MAX:
        return label
    try:
        return idna.ToUnicode(idna.ToASCII(label)).lower()
    except UnicodeError:
        return label
