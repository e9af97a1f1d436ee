"""A customer of Fernamt: the settings its admin makes, and desks and widgets that come and go."""

from contextlib import AsyncExitStack
from typing import Any

from tests.integration.frontend.desk import HEARTBEAT_EVERY_S, Desk
from tests.integration.frontend.line import Line
from tests.integration.frontend.widget import Widget
from tests.servers.waiting import until

Fields = dict[str, Any]


class Company:
    """One workspace. Whatever was started in it is hung up with it."""

    def __init__(self, url: str, workspace: str) -> None:
        self._url = url
        self._workspace = workspace
        self._started = AsyncExitStack()
        self._lines: list[Line] = []
        self.admin = Line(url, workspace, "admin", "office")

    async def found(self) -> None:
        """The workspace, with Support for the first level, Experts behind it, and a site."""
        await self.admin.open()
        self._started.push_async_callback(self.admin.close)
        await self.admin.command("create_workspace", {"name": self._workspace})
        for group, name in (("support", "Support"), ("experts", "Experts")):
            await self.admin.command("create_group", {"group_id": group, "name": name})
        await self.admin.command(
            "define_entry_point", {"entry_point_id": "site", "name": "Site", "groups": ["support"]}
        )

    async def hire(self, operator: str, *groups: str, **settings: object) -> None:
        """Register somebody, in Support unless another group is named."""
        await self.admin.command("register_operator", {"operator_id": operator} | settings)
        for group in groups or ("support",):
            await self.admin.command("join_group", {"operator_id": operator, "group_id": group})

    async def policy(self, **fields: object) -> None:
        """Set policies for the whole workspace."""
        await self.admin.command("set_policy", {"scope": {"workspace": True}, "policy": fields})

    async def desk(
        self,
        operator: str,
        session: str = "",
        *,
        url: str = "",
        seq: int | None = None,
        heartbeat_every_s: float = HEARTBEAT_EVERY_S,
    ) -> Desk:
        """Somebody logs in. ``url``: by another way than straight to the broker."""
        line = self._line(url, "operator", operator)
        desk = Desk(line, session or f"{operator}-1", seq=seq, heartbeat_every_s=heartbeat_every_s)
        self._started.push_async_callback(desk.hang_up)
        await desk.log_in()
        return desk

    async def widget(self, visitor: str, *, url: str = "", seq: int | None = None) -> Widget:
        """Somebody loads a page with the widget on it."""
        widget = Widget(self._line(url, "visitor", visitor), "site", seq=seq)
        self._started.push_async_callback(widget.unload)
        await widget.load()
        return widget

    async def conversation(self, conversation: str, at_least: int = 0) -> Fields:
        """As the office sees it."""
        answer = await self.admin.ask(
            "conversation", {"conversation_id": conversation}, at_least=at_least
        )
        found: Fields = answer.result["conversation"]
        return found

    async def roster(self) -> dict[str, Fields]:
        """Every operator's entry by id."""
        operators = (await self.admin.ask("roster")).result["operators"]
        return {entry["operator_id"]: entry for entry in operators}

    async def close(self) -> None:
        """Everybody goes. Raises ``AssertionError`` if something went wrong out of sight."""
        await self._started.aclose()
        faults = [(line.actor, fault) for line in self._lines for fault in line.faults]
        assert faults == []

    def _line(self, url: str, kind: str, actor: str) -> Line:
        line = Line(url or self._url, self._workspace, kind, actor)
        self._lines.append(line)
        return line


async def agrees(desk: Desk) -> None:
    """Wait until what the desk made of its feed, which may lag behind, is what the query says.

    Raises ``TimeoutError``.
    """
    answer = await desk.line.ask("inbox", {"view": "mine"})
    expected = {
        found["conversation_id"]: found["why_mine"] for found in answer.result["conversations"]
    }

    async def is_so() -> bool:
        return desk.mine == expected

    await until(f"{desk.name} has {expected}, not {desk.mine}", is_so)
