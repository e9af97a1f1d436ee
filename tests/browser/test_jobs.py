"""What takes long: its progress, its report, and a file that is the same as from a terminal."""

import re
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.browser.house import House
from tests.browser.shop import WORKSPACE

DONE_WITHIN_MS = 60_000


def done(page: Page) -> Page:
    expect(page.locator(".state.done")).to_be_visible(timeout=DONE_WITHIN_MS)
    violations = Axe().run(page)
    assert violations.violations_count == 0, violations.generate_report()
    return page


def test_au08_the_log_is_verified_from_the_health_page(house: House, page: Page) -> None:
    page.goto(f"{house.url}/health")
    page.get_by_role("button", name="Verify the whole log").click()
    expect(page).to_have_url(re.compile("/jobs/"))
    expect(done(page).locator("main")).to_contain_text("Everything checks out.")
    expect(page.get_by_role("progressbar")).to_be_visible()


def test_au08_a_simulation_shows_waits_and_loads(house: House, new_page: NewPage) -> None:
    page = new_page(viewport={"width": 360, "height": 740})
    page.goto(f"{house.url}/incidents/simulate")
    page.get_by_label("Capacity of an operator").fill("ben")
    page.get_by_label("Slots instead").fill("5")
    page.get_by_role("button", name="Simulate").click()
    main = done(page).locator("main")
    expect(main.get_by_role("img", name="How many conversations waited how long")).to_be_visible()
    expect(main.get_by_role("img", name="Conversations given to each operator")).to_be_visible()
    different = main.locator("tr").filter(has_text="c-17")
    expect(different).to_contain_text(re.compile(r"ben after 4 min 0\d s"))
    expect(different).to_contain_text(re.compile(r"ben after 0 s|ben after \d+ ms"))
    expect(main).to_contain_text("A report: nothing was applied")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_au08_a_simulation_of_nothing_is_refused(house: House, page: Page) -> None:
    page.goto(f"{house.url}/incidents/simulate")
    page.get_by_role("button", name="Simulate").click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one thing to suppose.")
    page.get_by_label("Capacity of an operator").fill("ben")
    page.get_by_role("button", name="Simulate").click()
    expect(page.locator(".trouble")).to_contain_text("capacity")


def test_au08_an_export_is_the_same_as_from_a_terminal(
    house: House, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{house.url}/incidents/export")
    page.get_by_label("Up to position").fill("60")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    written = tmp_path / "by-hand.fernamt"
    command = ["export", "--workspace", WORKSPACE, "--until", "60", "-o", str(written)]
    house.run(*command)
    assert Path(download.value.path()).read_bytes() == written.read_bytes()
    assert download.value.suggested_filename == "shop-60.fernamt"
