"""Ending other people's connections, which ``deploy/nats`` lets the router and ``auth`` ask for."""

import msgspec

from shared.ports import Bus
from shared.wire.request_info import Connection
from shared.wire.subjects import BROKER_CONNECTIONS, BROKER_SERVERS, end_connections_at

WITHIN_S = 5.0
ALL_WITHIN_S = 2.0
"""So long the answers of several servers are waited for."""


class _Server(msgspec.Struct, frozen=True):
    id: str


class _Answer(msgspec.Struct, frozen=True):
    error: msgspec.Raw | None = None


class _Client(msgspec.Struct, frozen=True):
    cid: int


class _Clients(msgspec.Struct, frozen=True):
    connections: list[_Client] = []


class _Told(msgspec.Struct, frozen=True):
    server: _Server
    data: _Clients


async def end_connection(bus: Bus, connection: Connection) -> bool:
    """End it; false if it had ended by itself. Raises what ``request`` does, and ``ValueError``."""
    # Servers have names that people give them, and an id that is new with each start.
    asked = msgspec.json.encode({"server_name": connection.server})
    found = await bus.request(BROKER_SERVERS, asked, timeout_s=WITHIN_S)
    return await _end(bus, msgspec.json.decode(found.data, type=_Server).id, connection.number)


async def end_connections_of(bus: Bus, user: str) -> int:
    """End all of somebody's, at every server; how many there were. Raises as above."""
    asked = msgspec.json.encode({"auth": True, "user": user})
    ended = 0
    for answer in await bus.ask_all(BROKER_CONNECTIONS, asked, within_s=ALL_WITHIN_S):
        told = msgspec.json.decode(answer.data, type=_Told)
        for client in told.data.connections:
            ended += await _end(bus, told.server.id, client.cid)
    return ended


async def _end(bus: Bus, server_id: str, number: int) -> bool:
    body = msgspec.json.encode({"cid": number})
    answer = await bus.request(end_connections_at(server_id), body, timeout_s=WITHIN_S)
    return msgspec.json.decode(answer.data, type=_Answer).error is None
