"""What somebody who means harm would send: bodies, subjects and headers that must be refused.

Bodies in ``BODIES`` are refused by every command and query; ``variants`` spoils one that is fine.
"""

import json
from collections.abc import Iterator
from typing import Any

_DEPTH = 100_000
_ROOM = 65_536

BODIES: list[tuple[str, bytes]] = [
    # no object
    ("a number", b"1"),
    ("a text", b'"x"'),
    ("null", b"null"),
    ("true", b"true"),
    ("an array", b"[]"),
    ("an array of objects", b'[{"x":1}]'),
    ("white space", b" \r\n\t "),
    ("a zero byte", b"\0"),
    ("zero bytes", b"\0" * 64),
    # not quite JSON
    ("a byte order mark", b'\xef\xbb\xbf{"x":1}'),
    ("unclosed object", b'{"x":1'),
    ("unclosed text", b'{"x":"'),
    ("unclosed key", b'{"x'),
    ("trailing comma", b'{"x":1,}'),
    ("leading comma", b'{,"x":1}'),
    ("two objects", b'{"x":1}{"x":1}'),
    ("two lines", b'{"x":1}\n{"x":1}'),
    ("garbage behind", b'{"x":1} x'),
    ("zero byte behind", b'{"x":1}\0'),
    ("zero byte before", b'\0{"x":1}'),
    ("single quotes", b"{'x':1}"),
    ("bare key", b"{x:1}"),
    ("number as key", b"{1:1}"),
    ("null as key", b"{null:1}"),
    ("comment", b'{"x":1/* y */}'),
    ("NaN", b'{"x":NaN}'),
    ("Infinity", b'{"x":Infinity}'),
    ("minus Infinity", b'{"x":-Infinity}'),
    ("undefined", b'{"x":undefined}'),
    ("hexadecimal", b'{"x":0x10}'),
    ("leading zero", b'{"x":01}'),
    ("leading plus", b'{"x":+1}'),
    ("bare fraction", b'{"x":.5}'),
    ("capital literal", b'{"x":True}'),
    ("unknown escape", b'{"x":"\\x41"}'),
    ("short escape", b'{"x":"\\u12"}'),
    ("raw tab in a text", b'{"x":"\t"}'),
    ("raw line feed in a text", b'{"x":"\n"}'),
    ("raw zero in a text", b'{"x":"\0"}'),
    # not quite UTF-8
    ("lone continuation byte", b'{"x":"\x80"}'),
    ("invalid byte", b'{"x":"\xff"}'),
    ("invalid byte in a key", b'{"\xff":1}'),
    ("overlong slash", b'{"x":"\xc0\xaf"}'),
    ("overlong zero", b'{"x":"\xc0\x80"}'),
    ("surrogate as UTF-8", b'{"x":"\xed\xa0\x80"}'),
    ("beyond Unicode", b'{"x":"\xf4\x90\x80\x80"}'),
    ("truncated sequence", b'{"x":"\xe2\x82"}'),
    ("UTF-16 with mark", '{"x":1}'.encode("utf-16")),
    ("UTF-16 without mark", '{"x":1}'.encode("utf-16-le")),
    ("UTF-32", '{"x":1}'.encode("utf-32")),
    ("Latin-1", '{"x":"ü"}'.encode("latin-1")),
    # texts that others choke on
    ("high surrogate", b'{"x":"\\ud800"}'),
    ("low surrogate", b'{"x":"\\udc00"}'),
    ("surrogates the wrong way round", b'{"x":"\\udc00\\ud800"}'),
    ("two high surrogates", b'{"x":"\\ud800\\ud800"}'),
    ("high surrogate in a key", b'{"\\ud800":1}'),
    ("escaped zero", b'{"x":"\\u0000"}'),
    ("escaped zero in a key", b'{"\\u0000":1}'),
    # too much
    ("one byte too many", b'{"x":"' + b"x" * (_ROOM - 7) + b'"}'),
    ("white space beyond the limit", b"{" + b" " * _ROOM + b"}"),
    ("a megabyte", b'{"x":"' + b"x" * 1_048_576 + b'"}'),
    ("key of a megabyte", b'{"' + b"x" * 1_048_576 + b'":1}'),
    ("key of 60,000", b'{"' + b"x" * 60_000 + b'":1}'),
    ("many keys", b"{" + b",".join(b'"x%d":1' % n for n in range(5_000)) + b"}"),
    ("number of 5,000 digits", b'{"x":' + b"9" * 5_000 + b"}"),
    ("number of 60,000 digits", b'{"x":-' + b"9" * 60_000 + b"}"),
    ("beyond a double", b'{"x":1e400}'),
    ("exponent of 60,000 digits", b'{"x":1e' + b"9" * 60_000 + b"}"),
    ("arrays, deep", b'{"x":' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
    ("objects, deep", b'{"x":' * 9_000 + b"1" + b"}" * 9_000),
    ("arrays, deep, unclosed", b"[" * 60_000),
    ("objects, deep, unclosed", b'{"x":' * 12_000),
    ("arrays, very deep", b'{"x":' + b"[" * _DEPTH + b"]" * _DEPTH + b"}"),
    # something else altogether
    ("prototype", b'{"__proto__":{"admin":true}}'),
    ("class", b'{"__class__":"Command"}'),
    ("path as key", b'{"a.b[0]":1}'),
    ("empty key", b'{"":1}'),
    ("complaint as key", b'{"x` - at `$.policy":1}'),
    (
        "XML",
        b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY y SYSTEM "file:///etc/passwd">]><x>&y;</x>',
    ),
    ("form", b"conversation_id=c-1&owner=ana"),
    ("MessagePack", b"\x81\xa1x\x01"),
    ("gzip", b"\x1f\x8b\x08\x00\x00\x00\x00\x00"),
    ("pickle", b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00."),
    ("NATS protocol", b"PUB fernamt.v1.cmd.w.admin.a.create_group 2\r\n{}\r\n"),
]
"""(name, body) of what nobody may send, whatever the command."""

VALUES: list[tuple[str, bytes]] = [
    ("NaN", b"NaN"),
    ("Infinity", b"Infinity"),
    ("5,000 digits", b"9" * 5_000),
    ("2^53 + 1", b"9007199254740993"),
    ("-2^53 - 1", b"-9007199254740993"),
    ("2^64", b"18446744073709551616"),
    ("a fraction", b"1.5"),
    ("a float that is whole", b"1.0"),
    ("an exponent", b"1e0"),
    ("beyond a double", b"1e400"),
    ("lone surrogate", b'"a\\ud800"'),
    ("surrogates the wrong way round", b'"\\udc00\\ud800"'),
    ("zero", b'"\\u0000"'),
    ("zero within", b'"a\\u0000b"'),
    ("zero behind a backslash", b'"\\\\\\u0000"'),
    ("zero in a list", b'["x","\\u0000"]'),
    ("zero in a value", b'{"x":"\\u0000"}'),
    ("zero in a key", b'{"x\\u0000":"x"}'),
    ("invalid UTF-8", b'"\xff"'),
    ("a text that is too long", b'"' + b"x" * 4_001 + b'"'),
    ("an accented text that is too long", b'"' + "é".encode() * 4_001 + b'"'),
    ("a list that is too long", b"[" + b",".join([b'"x"'] * 1_001) + b"]"),
    ("an object that is too long", b"{" + b",".join(b'"k%d":"x"' % n for n in range(1_001)) + b"}"),
    ("a key that is too long", b'{"' + b"x" * 60_000 + b'":"x"}'),
    ("an empty key", b'{"":"x"}'),
    ("a key twice", b'{"x":"x","x":"x"}'),
    ("a key twice, once escaped", b'{"x":"x","\\u0078":"y"}'),
    ("a key twice, once with space", b'{"x":"x","x" \t\r\n:"y"}'),
    ("arrays, 33 deep", b"[" * 32 + b"]" * 32),
    ("objects, 33 deep", b'{"x":' * 32 + b'"x"' + b"}" * 32),
    ("arrays, deep", b"[" * 20_000 + b"]" * 20_000),
    ("arrays, deep, unclosed", b"[" * 20_000),
]
"""(name, JSON) of what may stand in no field at all."""


def variants(body: dict[str, Any]) -> Iterator[tuple[str, bytes]]:
    """Yield ``body``, which is fine, spoilt in every way."""
    whole = json.dumps(body, ensure_ascii=False).encode()
    yield "a byte order mark", b"\xef\xbb\xbf" + whole
    yield "garbage behind", whole + b"x"
    yield "the same again", whole + whole
    yield "in an array", b"[" + whole + b"]"
    yield "UTF-16", whole.decode().encode("utf-16")
    yield "white space beyond the limit", whole + b" " * _ROOM
    yield "an unknown field", json.dumps({**body, "x-1": 1}).encode()
    yield "no closing brace", whole[:-1]
    for field, value in body.items():
        name, rest = json.dumps(field), {**body}
        del rest[field]
        others = "".join(f",{json.dumps(key)}:{json.dumps(rest[key])}" for key in rest).encode()
        said = f"{name}:{json.dumps(value)}".encode()
        escaped = b'"' + b"".join(b"\\u%04x" % ord(letter) for letter in field) + b'"'
        yield f"{field} twice", b"{" + said + others + b"," + said + b"}"
        yield (
            f"{field} twice, with space",
            b"{" + said + b"," + said.replace(b":", b" :", 1) + others + b"}",
        )
        yield f"{field} twice, once escaped", b"{" + said + others + b"," + escaped + b":1}"
        for what, hostile in VALUES:
            yield f"{field}: {what}", b"{" + name.encode() + b":" + hostile + others + b"}"


IDS: list[tuple[str, str]] = [
    ("empty", ""),
    ("dot", "a.b"),
    ("star", "*"),
    ("star within", "a*b"),
    ("greater", ">"),
    ("space", "a b"),
    ("tab", "a\tb"),
    ("line break", "a\r\nb"),
    ("line break behind", "a\n"),
    ("NATS command", "a\r\nPUB x 0\r\n\r\n"),
    ("zero byte", "a\0"),
    ("65 characters", "a" * 65),
    ("5,000 characters", "a" * 5_000),
    ("umlaut", "ä"),
    ("full-width letter", "\uff41"),
    ("Arabic digit", "\u0661"),
    ("Kelvin sign", "\u212a"),
    ("zero-width space", "a\u200b"),
    ("right-to-left mark", "\u202ea"),
    ("lone surrogate", "a\ud800"),
    ("slash", "../a"),
    ("dollar", "$SYS"),
    ("at", "ana@x"),
    ("plus", "a+b"),
    ("percent", "%2e"),
    ("quote", "a'--"),
]
"""(name, text) of what is no id."""

_GOOD = "fernamt.v1.cmd.w-1.operator.ana.claim"

SUBJECTS: list[tuple[str, str]] = [
    ("empty", ""),
    ("dots", "......."),
    ("a greater", ">"),
    ("the pattern of all", "fernamt.v1.cmd.>"),
    ("another version", _GOOD.replace("v1", "v2")),
    ("another root", _GOOD.replace("fernamt", "other")),
    ("another purpose", _GOOD.replace("cmd", "CMD")),
    ("one token less", "fernamt.v1.cmd.w-1.operator.claim"),
    ("one token more", f"{_GOOD}.x"),
    ("empty token behind", f"{_GOOD}."),
    ("empty token before", f".{_GOOD}"),
    ("line break behind", f"{_GOOD}\n"),
    ("space before", f" {_GOOD}"),
    ("kind in capitals", _GOOD.replace("operator", "Operator")),
    ("unknown kind", _GOOD.replace("operator", "root")),
    ("command in capitals", _GOOD.replace("claim", "Claim")),
    ("system", "$SYS.REQ.SERVER.PING"),
    ("JetStream", "$JS.API.STREAM.DELETE.FERNAMT_EVENTS"),
    ("an inbox", "_INBOX.abc.def"),
    *((f"workspace: {name}", _GOOD.replace("w-1", text)) for name, text in IDS),
    *((f"kind: {name}", _GOOD.replace("operator", text)) for name, text in IDS),
    *((f"actor: {name}", _GOOD.replace("ana", text)) for name, text in IDS),
    *((f"command: {name}", _GOOD.replace("claim", text)) for name, text in IDS),
]
"""(name, subject) of what is no subject of ours, though it may look like one."""

NUMBERS: list[tuple[str, str]] = [
    ("empty", ""),
    ("a word", "soon"),
    ("negative", "-1"),
    ("fraction", "1.5"),
    ("exponent", "1e3"),
    ("spaces", " 1 "),
    ("underscore", "1_000"),
    ("Arabic digits", "\u0661\u0662"),
    ("superscript", "\u00b2"),
    ("beyond 2^53", "9007199254740993"),
    ("5,000 digits", "9" * 5_000),
    ("a megabyte", "1" * 1_048_576),
    ("NaN", "NaN"),
    ("line break", "1\r\nX: y"),
]
"""(name, text) of what is no number."""

HEADERS: list[tuple[str, dict[str, str]]] = [
    *((f"command id: {name}", {"Fernamt-Command-Id": text}) for name, text in IDS),
    *((f"expires: {name}", {"Fernamt-Expires": text}) for name, text in NUMBERS),
    *((f"min position: {name}", {"Fernamt-Min-Position": text}) for name, text in NUMBERS),
]
"""(name, headers) that are refused."""

TRACES: list[tuple[str, str]] = [
    ("empty", ""),
    ("a word", "trace"),
    ("version ff", "ff-" + "a" * 32 + "-" + "b" * 16 + "-01"),
    ("trace id of zeros", "00-" + "0" * 32 + "-" + "b" * 16 + "-01"),
    ("span id of zeros", "00-" + "a" * 32 + "-" + "0" * 16 + "-01"),
    ("capitals", "00-" + "A" * 32 + "-" + "B" * 16 + "-01"),
    ("short", "00-" + "a" * 31 + "-" + "b" * 16 + "-01"),
    ("something behind", "00-" + "a" * 32 + "-" + "b" * 16 + "-01x"),
    ("a megabyte", "0" * 1_048_576),
]
"""(name, trace parent) that is dropped; the request goes on."""
