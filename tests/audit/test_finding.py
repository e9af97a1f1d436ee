"""Finding conversations of a stretch of the log by what went wrong with them."""

from pathlib import Path
from typing import Any

import pytest

from shared.audit import finding, openings
from shared.audit.answers import ConversationsOf, Found, Match
from shared.routing.events import Actor
from tests.audit.kept import Past, four_minutes, past_of
from tests.core.story import ADMIN, ANA, BEN, Story, desk, group, online, opened, policy, step
from tests.core.wanderer import Wanderer


async def found(past: Past, pattern: str, **fields: Any) -> list[Match]:
    return list((await past.ask(Found, "find", pattern=pattern, **fields)).matches)


def names(matches: list[Match]) -> list[str]:
    return [match.conversation_id for match in matches]


async def test_au03_who_was_free_while_it_waited_and_why_he_did_not_get_it(
    tmp_path: Path,
) -> None:
    async with past_of(four_minutes(), tmp_path) as past:
        (match,) = await found(past, "waited_while_free", over_s=120)
    assert (match.conversation_id, match.visitor_id) == ("c1", "visitor-c1")
    assert match.waited_ms == 240_000
    assert match.reasons == ("skill_missing",)
    assert match.owners == ("ben",)
    free = {one.operator_id: one.exclusions for one in match.free}
    assert free == {"ana": ("skill_missing",), "cleo": ("not_member", "skill_missing")}
    assert match.free[0].operator_id == "ana"  # those whom it was for come first


async def test_au03_it_is_found_by_the_visitor_who_complains(tmp_path: Path) -> None:
    async with past_of(four_minutes(), tmp_path) as past:
        (match,) = await found(past, "any", visitor_id="visitor-c1")
        assert match.waited_ms == 240_000
        assert "ana" in [one.operator_id for one in match.free]
        assert await found(past, "any", visitor_id="nobody") == []
        assert names(await found(past, "any", conversation_id="c0")) == ["c0"]


async def test_au03_whoever_waits_long_enough_is_found(tmp_path: Path) -> None:
    story = four_minutes()
    async with past_of(story, tmp_path) as past:
        assert names(await found(past, "waited", over_s=239)) == ["c1"]
        assert await found(past, "waited", over_s=240) == []
        assert names(await found(past, "waited_while_free", over_s=60, operator_id="cleo")) == [
            "c1"
        ]
        assert await found(past, "waited_while_free", over_s=60, operator_id="ben") == []


async def test_au03_one_that_still_waits_is_found_too(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1), opened("c1", "c2"))
    story.after(100).given(step(ANA, "reply", conversation_id="c1"))
    async with past_of(story, tmp_path) as past:
        (match,) = await found(past, "waited", over_s=99)
    assert (match.conversation_id, match.waited_ms, match.waited_to) == ("c2", 100_000, None)


async def test_au03_what_was_forwarded_again_and_again(tmp_path: Path) -> None:
    story = Story().given(desk(ana=3, ben=3), group("vip"), online("cleo", "vip"))
    story.given(opened("c1", "c2"))
    for to in ({"operator": "cleo"}, {"operator": "ben"}, {"group": "vip"}):
        story.given(step(ADMIN, "forward", conversation_id="c1", to=to))
    story.given(step(ADMIN, "forward", conversation_id="c2", to={"operator": "cleo"}))
    async with past_of(story, tmp_path) as past:
        (match,) = await found(past, "forwarded", more_than=2)
        assert (match.conversation_id, match.times) == ("c1", 3)
        assert set(names(await found(past, "forwarded"))) == {"c1", "c2"}


async def test_au03_whose_owner_was_gone_soon_after(tmp_path: Path) -> None:
    story = Story().given(desk(ana=3), opened("c1"))
    story.after(100).given(opened("c2"))
    story.after(20).given(step(ANA, "log_out", session_id="ana-1"))
    async with past_of(story, tmp_path) as past:
        assert names(await found(past, "owner_left", within_s=30)) == ["c2"]
        assert names(await found(past, "owner_left", within_s=200)) == ["c1", "c2"]


async def test_au03_what_was_taken_from_its_owner(tmp_path: Path) -> None:
    story = Story().given(
        desk(ana=1, ben=1), policy(on_owner_offline="reassign"), opened("c1", "c2")
    )
    owner = story.owner("c1")
    story.given(step(ANA if owner == "ana" else BEN, "log_out", session_id=f"{owner}-1"))
    async with past_of(story, tmp_path) as past:
        assert names(await found(past, "reassigned")) == ["c1"]
        assert await found(past, "reassigned", more_than=1) == []


async def test_au03_what_was_refused_and_what_was_missed(tmp_path: Path) -> None:
    story = Story().given(desk(ana=1, ben=1), policy(delivery="offer", missed_after_s=300))
    story.opens("c1").after(31).after(31).after(400)
    async with past_of(story, tmp_path) as past:
        (match,) = await found(past, "refused", more_than=1)
        assert match.times >= 2
        assert names(await found(past, "missed")) == ["c1"]


async def test_au03_whoever_is_being_asked_is_not_told_as_free(tmp_path: Path) -> None:
    story = Story().given(desk(ana=2, ben=2), policy(delivery="offer"))
    story.opens("c1").after(20).given(step(ANA, "accept_offer", conversation_id="c1", offer=1))
    async with past_of(story, tmp_path) as past:
        (match,) = await found(past, "waited_while_free", over_s=10)
    assert [(one.operator_id, one.exclusions) for one in match.free] == [("ben", ())]


async def test_au03_what_a_visitor_opened_the_latest_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story().given(desk(ana=9))
    vera = Actor("visitor", "vera", service="shop")
    for number in range(5):
        its_id = f"c{number}"
        story.given(step(vera, "open", conversation_id=its_id, entry_point_id="web"))
        story.given(step(ANA, "close", conversation_id=its_id), opened(f"other{number}"))
    async with past_of(story, tmp_path) as past:

        async def asked(**fields: Any) -> ConversationsOf:
            return await past.ask(ConversationsOf, "conversations_of", **fields)

        told = await asked(visitor_id="vera")
        assert [one.conversation_id for one in told.conversations] == ["c4", "c3", "c2", "c1", "c0"]
        assert told.next is None
        assert (await asked(visitor_id="ver")).conversations == ()
        first = await asked(visitor_id="vera", limit=2)
        assert [one.conversation_id for one in first.conversations] == ["c4", "c3"]
        rest = await asked(visitor_id="vera", before=first.next)
        assert [one.conversation_id for one in rest.conversations] == ["c2", "c1", "c0"]
        monkeypatch.setattr(openings, "EVENTS_MAX", 7)
        pieces: list[str] = []
        before: int | None = len(story.log)
        while before is not None:
            piece = await asked(visitor_id="vera", before=before)
            pieces += [one.conversation_id for one in piece.conversations]
            before = piece.next
        assert pieces == ["c4", "c3", "c2", "c1", "c0"]


async def test_au03_only_the_stretch_counts(tmp_path: Path) -> None:
    story = four_minutes()
    middle = story.at
    story.after(10).given(opened("c9"))
    async with past_of(story, tmp_path) as past:
        assert names(await found(past, "any", **{"from": {"at": middle}})) == ["c9"]
        until = {"at": middle - 61_000}
        assert names(await found(past, "waited", over_s=100, to=until)) == ["c1"]


async def test_au03_a_wait_that_began_before_the_stretch_counts_whole(tmp_path: Path) -> None:
    story = four_minutes()
    opened_at = story.conversation("c1").opened_at
    async with past_of(story, tmp_path) as past:
        later = {"at": opened_at + 100_000}
        (match,) = await found(past, "waited", over_s=200, **{"from": later})
    assert match.waited_ms == 240_000


@pytest.mark.parametrize("pattern", ["any", "waited", "waited_while_free", "refused"])
@pytest.mark.parametrize("seed", range(3))
async def test_au03_piece_by_piece_the_same_is_found(
    seed: int, pattern: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is found in one go is found piece by piece; a piece may tell of it once more."""
    story = Story()
    Wanderer(seed).wander(story, 120)
    async with past_of(story, tmp_path) as past:
        whole = await past.ask(Found, "find", pattern=pattern, over_s=30, limit=1_000)
        assert whole.next is None
        monkeypatch.setattr(finding, "EVENTS_MAX", 40)
        pieces: list[str] = []
        after: int | None = 0
        while after is not None:
            since: dict[str, Any] = {"from": {"position": after}}
            page = await past.ask(Found, "find", pattern=pattern, over_s=30, limit=3, **since)
            assert len(page.matches) <= 3
            assert page.next is None or page.next > after
            pieces += names(list(page.matches))
            after = page.next
    assert set(pieces) == set(names(list(whole.matches)))
