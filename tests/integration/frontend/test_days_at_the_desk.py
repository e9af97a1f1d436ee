"""Days of operators and visitors as their screens show them: log-in, chats, offers, forwards."""

import pytest

from tests.integration.frontend.company import Company, agrees
from tests.integration.frontend.line import RefusedError


async def test_a_chat_from_the_first_click_to_the_last(company: Company) -> None:
    await company.hire("ana")
    vera = await company.widget("vera")
    assert vera.mode == "messenger"
    ana = await company.desk("ana")
    assert ana.status == {"chosen": "online", "effective": "online", "cause": "chosen"}
    await vera.turns("live")
    opened = await vera.open("c1", language="de")
    assert (opened["state"], opened["owner"], opened["entry_mode"]) == ("assigned", "ana", "live")
    assigned = await ana.feed.told("assigned", conversation_id="c1")
    assert (assigned["reason"], assigned["alert"]) == ("routed", True)
    assert ana.mine == {"c1": "owner"}
    await vera.feed.told("operator_joined", operator_id="ana")
    assert vera.with_operators == ["ana"]
    await vera.write("c1")
    await ana.feed.told("visitor_wrote", conversation_id="c1")
    await ana.reply("c1")
    closed = await ana.close("c1")
    assert closed["state"] == "closed"
    await vera.feed.told("closed", reason="solved")
    await agrees(ana)
    assert ana.mine == {}
    await ana.log_out()
    assert ana.status["cause"] == "logout"
    await vera.turns("messenger")
    assert (ana.feed.gaps, vera.feed.gaps) == (0, 0)


async def test_a_status_is_chosen_and_every_colleague_sees_it(company: Company) -> None:
    await company.hire("ana")
    await company.hire("ben")
    ana, ben = await company.desk("ana"), await company.desk("ben")
    for status in ("busy", "invisible", "offline", "online"):
        assert (await ben.choose(status))["effective"] == status
        await ana.sees("ben", status)
    vera = await company.widget("vera")
    await ana.choose("busy")
    await vera.open("c1")
    await ben.feed.told("assigned", conversation_id="c1")
    await ben.log_out()
    assert (await company.roster())["ben"]["cause"] == "logout"
    again = await company.desk("ben", "ben-2")
    assert again.status["chosen"] == "online"
    assert again.mine == {"c1": "owner"}


async def test_offers_are_declined_accepted_and_told_to_be_over(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(delivery="offer", offer_timeout_s=600)
    ana, ben = await company.desk("ana"), await company.desk("ben")
    vera = await company.widget("vera")
    opened = await vera.open("c1")
    assert (opened["state"], opened["offer"]) == ("offered", None), "whose is nothing for visitors"
    offered = await ana.feed.told("offered", conversation_id="c1")
    assert ana.rang == [offered]
    assert ana.mine == {"c1": "offered"}
    await ana.decline("c1", "busy")
    await ben.feed.told("offered", conversation_id="c1")
    await agrees(ana)
    with pytest.raises(RefusedError) as refused:
        await ana.accept("c1")
    assert (refused.value.code, refused.value.detail["how"]) == ("offer_ended", "declined")
    assert (await ben.accept("c1"))["owner"] == "ben"
    await ben.feed.told("offer_ended", how="accepted")
    await vera.feed.told("operator_joined", operator_id="ben")
    for desk in (ana, ben):
        await agrees(desk)


async def test_second_level_gets_what_is_forwarded_and_gives_it_back(company: Company) -> None:
    await company.hire("ana")
    await company.hire("eve", "experts")
    ana, eve = await company.desk("ana"), await company.desk("eve")
    vera = await company.widget("vera")
    assert (await vera.open("c1"))["owner"] == "ana"
    await ana.reply("c1")
    reply = await ana.forward("c1", {"group": "experts"}, note="Please look at the invoice")
    assert reply.result["conversation"]["owner"] == "eve"
    await eve.feed.told("assigned", conversation_id="c1")
    await ana.feed.told("released", conversation_id="c1", reason="forwarded")
    await vera.feed.told("operator_left", operator_id="ana")
    await vera.feed.told("operator_joined", operator_id="eve")
    assert vera.with_operators == ["eve"]
    await eve.forward("c1", {"operator": "ana"})
    forwarded = await ana.feed.told("forwarded", by="eve")
    assert forwarded["alert"]
    await eve.feed.told("released", conversation_id="c1")
    for desk in (ana, eve):
        await agrees(desk)
    with pytest.raises(RefusedError, match="not_involved"):
        await eve.do("release", conversation_id="c1")


async def test_a_forward_on_offer_comes_back_when_it_is_declined(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    ana = await company.desk("ana")
    vera = await company.widget("vera")
    await vera.open("c1")
    await ana.feed.told("assigned", conversation_id="c1")
    ben = await company.desk("ben")
    kept = await ana.forward("c1", {"operator": "ben"}, mode="offer")
    assert kept.result["conversation"]["owner"] == "ana"
    await ben.feed.told("offered", conversation_id="c1", by="ana")
    await ben.decline("c1", "wrong_skill")
    assert (await ana.feed.told("returned", conversation_id="c1"))["reason"] == "declined"
    for desk in (ana, ben):
        await agrees(desk)


async def test_what_is_told_to_all_goes_to_the_first(company: Company) -> None:
    for who in ("ana", "ben"):
        await company.hire(who)
    await company.policy(delivery="broadcast")
    ana, ben = await company.desk("ana"), await company.desk("ben")
    vera = await company.widget("vera")
    await vera.open("c1")
    for desk in (ana, ben):
        await desk.feed.told("queue_waiting", conversation_id="c1", why="broadcast")
        assert desk.mine == {"c1": "broadcast"}
    assert (await ben.reply("c1"))["owner"] == "ben"
    with pytest.raises(RefusedError) as refused:
        await ana.do("claim", conversation_id="c1")
    assert (refused.value.code, refused.value.detail) == ("already_owned", {"owner": "ben"})
    for desk in (ana, ben):
        await agrees(desk)
