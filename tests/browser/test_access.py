"""Who gets in: with a token where one is asked for, under its own names, from its own forms."""

import subprocess
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.house import House, Ops
from tests.browser.shop import WORKSPACE
from tests.servers.engine import ROOT, fernamt, surroundings

TOKEN = "correct-horse-battery-staple-0042"


@pytest.fixture(scope="module")
def locked(house: House) -> Iterator[Ops]:
    """A console beside the house's that asks for a token."""
    environment = {"FERNAMT_NATS_URL": house.engine.url, "FERNAMT_CONSOLE_TOKEN": TOKEN}
    ops = Ops(house.directory, "console", environment=environment)
    ops.start()
    yield ops
    assert ops.stop() == 0


def test_au08_with_a_token_one_signs_in_and_out(locked: Ops, page: Page) -> None:
    page.goto(f"{locked.url}/{WORKSPACE}/health")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.get_by_label("Session token").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_have_text("That is not the token.")
    page.get_by_label("Session token").fill(TOKEN)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{locked.url}/{WORKSPACE}/health")
    expect(page.get_by_role("heading", level=1)).to_have_text("Health")
    (cookie,) = [one for one in page.context.cookies() if one["name"] == "fernamt_session"]
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert TOKEN not in cookie["value"]
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{locked.url}/{WORKSPACE}/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_au08_without_a_session_nothing_is_told(locked: Ops) -> None:
    for path in ("/", f"/{WORKSPACE}/", f"/{WORKSPACE}/stream", f"/{WORKSPACE}/health"):
        answer = httpx.get(f"{locked.url}{path}")
        assert (answer.status_code, answer.headers["location"]) == (303, "/~/login"), path
    forged = {"fernamt_session": "9999999999.0000"}
    assert httpx.get(f"{locked.url}/{WORKSPACE}/", cookies=forged).status_code == 303
    fragment = {"X-Fragment": "1"}
    assert httpx.get(f"{locked.url}/{WORKSPACE}/", headers=fragment).status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "", "[::1"])
def test_au08_other_names_for_this_machine_are_turned_away(house: House, host: str) -> None:
    answer = httpx.get(f"{house.url}/", headers={"Host": host})
    assert answer.status_code in (400, 421)
    assert "shop" not in answer.text


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1234", "[::1]:8470"])
def test_au08_its_own_names_are_answered(house: House, host: str) -> None:
    assert httpx.get(f"{house.url}/", headers={"Host": host}).status_code == 200


def test_au08_a_form_of_another_page_changes_nothing(house: House) -> None:
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://evil.example"},
        {},
    ):
        answer = httpx.post(f"{house.url}/health/verify", headers=headers)
        assert answer.status_code == 403
    ours = {"Sec-Fetch-Site": "same-origin"}
    assert httpx.post(f"{house.url}/health/verify", headers=ours).status_code == 303


def test_au08_the_switch_leads_nowhere_else(house: House) -> None:
    for back in ("https://evil.example/", "//evil.example", "/\\evil.example", "evil"):
        answer = httpx.post(
            f"{house.ops.url}/~/appearance",
            headers={"Sec-Fetch-Site": "same-origin"},
            data={"back": back, "theme": "dark"},
        )
        assert answer.headers["location"] == "/", back


def test_au08_files_are_kept_for_ever_and_pages_not_at_all(house: House) -> None:
    page = httpx.get(f"{house.url}/")
    assert page.headers["cache-control"] == "no-store"
    sheet = page.text.partition('rel="stylesheet" href="')[2].partition('"')[0]
    answer = httpx.get(f"{house.ops.url}{sheet}")
    assert "immutable" in answer.headers["cache-control"]
    assert httpx.get(f"{house.ops.url}/~/static/0/console.css").headers["cache-control"] == (
        "no-cache"
    )
    assert httpx.get(f"{house.ops.url}/~/static/0/secret").status_code == 404


def test_au08_a_large_form_is_refused(house: House) -> None:
    answer = httpx.post(
        f"{house.ops.url}/~/appearance",
        headers={"Sec-Fetch-Site": "same-origin"},
        content=b"a" * 100_000,
    )
    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("variable", "value", "why"),
    [
        ("FERNAMT_CONSOLE_HOST", "0.0.0.0", "FERNAMT_CONSOLE_TOKEN"),  # noqa: S104
        ("FERNAMT_CONSOLE_PORT", "taken", "FERNAMT_CONSOLE_PORT names another port"),
    ],
)
def test_au08_it_does_not_start_where_it_must_not_or_cannot(
    house: House, variable: str, value: str, why: str
) -> None:
    taken = house.ops.url.rpartition(":")[2]
    value = taken if value == "taken" else value
    settings = {"FERNAMT_NATS_URL": house.engine.url, variable: value}
    ended = subprocess.run(
        fernamt("run", "console"),
        cwd=ROOT,
        env=surroundings(settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert why in ended.stderr
    assert "Traceback" not in ended.stderr


def test_au08_where_nobody_answers_the_page_says_who(house: House, page: Page) -> None:
    answer = page.goto(f"{house.ops.url}/nowhere/")
    assert answer is not None
    assert answer.status == 503
    expect(page.locator(".trouble")).to_contain_text("The router does not answer.")
    expect(page.locator(".trouble")).to_contain_text("fernamt run router")
