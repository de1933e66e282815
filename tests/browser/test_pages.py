"""The pages as people see them: on a phone and a desk, by day and by night, and on paper."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.published import ALL, publish
from tests.browser.stories import STORIES
from tests.house.checkout import ROOT

pytestmark = pytest.mark.slow

Scheme = Literal["light", "dark"]
PHONE, DESK = 390, 1280
PAPER = 718
"""A4 between its margins, in pixels of 1/96 inch."""
SCREENSHOTS = ROOT / "out" / "screenshots"
UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Publish a page once, however many tests look at it."""
    published: dict[str, Path] = {}

    def page(name: str) -> Path:
        if name not in published:
            published[name] = publish(name, tmp_path_factory.mktemp(name))
        return published[name]

    return page


@contextmanager
def opened(
    browser: Browser, path: Path, width: int = DESK, scheme: Scheme = "light", scripts: bool = True
) -> Iterator[Page]:
    """Open a page, and hold it to asking for nothing else and complaining of nothing."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme=scheme,
        offline=True,
        java_script_enabled=scripts,
    )
    said: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: said.append(request.url))
    page.goto(path.as_uri())
    yield page
    context.close()
    assert said == [path.as_uri()]


def unfold(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach(part => part.open = true)")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("name", ALL)
def test_a_page_fits_its_window(
    name: str, width: int, scheme: Scheme, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name), width, scheme) as page:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{scheme}.png", full_page=True)
        unfold(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(("width", "scheme"), [(PHONE, "light"), (DESK, "dark")])
@pytest.mark.parametrize("name", ALL)
def test_axe_finds_nothing_that_keeps_anyone_from_reading_a_page(
    name: str, width: int, scheme: Scheme, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name), width, scheme) as page:
        unfold(page)
        violations = Axe().run(page).response["violations"]
    found = [
        f"{item['id']}: {node['target']} {node['failureSummary']}"
        for item in violations
        for node in item["nodes"]
    ]
    assert found == []


@pytest.mark.parametrize("name", STORIES)
def test_the_figures_on_the_page_are_those_in_verdict_json(
    name: str, browser: Browser, pages: Callable[[str], Path]
) -> None:
    path = pages(name)
    verdict = json.loads((path.parent / "verdict.json").read_text(encoding="utf-8"))
    with opened(browser, path) as page:
        unfold(page)
        shown = page.eval_on_selector_all(
            "[data-of]", "all => all.map(item => [item.dataset.of, item.value, item.innerText])"
        )
    for pointer, value, text in shown:
        held = look_up(verdict, pointer)
        assert float(value) == held, pointer
        assert says(text, held), (pointer, text, held)
    pointers = {pointer for pointer, _, _ in shown}
    for number, figure in enumerate(verdict["figures"]):
        assert {f"/figures/{number}/metrics/{metric}" for metric in figure["metrics"]} <= pointers
    if verdict["comparison"]:
        wanted = ("n", "difference", "tuned_better", "prompting_better", "p_value")
        assert {f"/comparison/{key}" for key in wanted} <= pointers


def look_up(value: Any, pointer: str) -> float:
    for key in pointer.split("/")[1:]:
        value = value[int(key) if isinstance(value, list) else key]
    return float(value)


def says(text: str, value: float) -> bool:
    """Whether a text has a number that is the value, or a hundred times it, as far as it goes."""
    found = re.search(r"[+-]?[\d,]*\.?\d+", text.replace("−", "-"))
    assert found, text
    number = found[0].replace(",", "")
    if "<" in text:
        return value < float(number)
    places = len(number.partition(".")[2])
    return float(number) in {round(scale * value, places) for scale in (1, 100)} or (
        float(number) == float(f"{value:.2g}") or float(number) == float(f"{value:.3g}")
    )


@pytest.mark.parametrize("name", STORIES)
def test_a_dot_stands_where_its_value_is(
    name: str, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name)) as page:
        rows = page.evaluate(
            """() => [...document.querySelectorAll('.rows')].map(list => {
              const middle = item => {
                const box = item.getBoundingClientRect(); return (box.left + box.right) / 2; };
              return {
                marks: [...list.querySelectorAll('.ticks text')].map(
                  item => [Number(item.textContent.replace('−', '-')), middle(item)]),
                dots: [...list.querySelectorAll('li:not(.axis)')].map(
                  item => [Number(item.querySelector('data').value), middle(
                    item.querySelector('circle'))])};
            })"""
        )
    assert rows
    for row in rows:
        (low, left), (high, right) = row["marks"][0], row["marks"][-1]
        for value, place in row["dots"]:
            expected = left + (100 * value - low) / (high - low) * (right - left)
            assert place == pytest.approx(expected, abs=2)


@pytest.mark.parametrize("name", ALL)
def test_texts_of_people_are_shown_and_nothing_else_becomes_of_them(
    name: str, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name)) as page:
        unfold(page)
        assert page.title() != "owned"
        assert page.locator("main").count() == 1
        assert page.locator("img, iframe, object, link, form").count() == 0
        assert page.locator("script").count() == (1 if name in STORIES else 0)
        text = page.evaluate("document.body.innerText")
    assert not UNSEEN.search(text)
    if name in STORIES and name != "old":
        assert "<script>document.title = 'owned'</script>" in text
        assert "[U+202E]" in text
        assert "{{ 7 * 7 }} &amp; ${x}" in text


@pytest.mark.parametrize("name", STORIES)
def test_a_page_says_the_same_without_its_script(
    name: str, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name)) as page:
        with_script = page.locator("main").inner_text()
    with opened(browser, pages(name), scripts=False) as page:
        assert page.locator("main").inner_text() == with_script


def test_a_click_on_a_heading_sorts_the_labels(
    browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages("intents")) as page:
        unfold(page)
        table = page.locator("table.sortable")

        def column(number: int) -> list[str]:
            return table.locator(f"tbody tr > :nth-child({number})").all_inner_texts()

        for number, key in ((3, float), (1, str)):
            button = table.locator("thead th").nth(number - 1).get_by_role("button")
            button.click()
            assert column(number) == sorted(column(number), key=key)
            button.click()
            assert column(number) == sorted(column(number), key=key, reverse=True)
        assert table.locator("th[aria-sort]").count() == 1


@pytest.mark.parametrize("name", ALL)
def test_on_paper_everything_is_unfolded_and_fits(
    name: str, browser: Browser, pages: Callable[[str], Path]
) -> None:
    with opened(browser, pages(name), PAPER) as page:
        page.emulate_media(media="print")
        folded = page.locator("details table, details dl, details ol").filter(visible=False)
        assert folded.count() == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= PAPER
        page.screenshot(path=SCREENSHOTS / f"{name}-paper.png", full_page=True)


def test_every_link_of_a_page_leads_somewhere(
    browser: Browser, pages: Callable[[str], Path]
) -> None:
    for name in ("parcels", "index"):
        path = pages(name)
        with opened(browser, path) as page:
            links = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
            assert links
            for link in links:
                if link.startswith("#"):
                    assert page.locator(link).count() == 1
                elif link != "../../index.html":
                    assert (path.parent / link).is_file()
