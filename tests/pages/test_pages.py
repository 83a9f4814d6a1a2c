"""The rendered pages as readers meet them: in a browser, light and dark, from a folder."""

import re
import shutil
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

import voxelwise
from tests.notebooks import NOTEBOOKS, ROOT
from tests.pages.browsing import watch
from tools.press.chapters import find_chapters
from tools.press.pages import rendering, stage_pages
from tools.press.warm import warm_up
from voxelwise import widgets

# What is folded away is opened. What is alike would take axe most of its time: of each kind, it sees the first ones.
OPEN_AND_THIN_OUT = """() => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    for (const [some, most] of [["dl.py", 5], ["article .math", 5], ["article tr", 4], ["pre span", 20]])
        for (const each of [...document.querySelectorAll(some)].slice(most)) each.remove();
}"""
TOO_WIDE = """async () => {
    await document.fonts.ready;
    return document.documentElement.scrollWidth > document.documentElement.clientWidth;
}"""
WEIGHT = "performance.getEntries().reduce((sum, each) => sum + (each.decodedBodySize ?? 0), 0)"  # in bytes
THEME = "document.documentElement.dataset.theme"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """The folder of the rendered pages, of the chapters as they are stored."""
    warm_up()
    output = tmp_path_factory.mktemp("rendered")
    stage_pages(ROOT, output / "source")
    for chapter in find_chapters(ROOT):
        shutil.copy(chapter, output / "source" / "book")
    with rendering(output / "source", output):
        pass
    return output / "html"


@pytest.fixture(scope="module")
def soups(pages):
    """All pages, parsed, by name; the front door, which leads on at once, is none."""
    files = [path for path in pages.rglob("*.html") if "_static" not in path.parts and path != pages / "index.html"]
    return {path.relative_to(pages).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in files}


def test_each_page_is_sound(browser, pages, soups):
    """On a telephone, from a folder: no fault, no request to another host, nothing too wide, no barrier.

    Axe takes half of the time, much of it for contrasts. Pages have one style, so it looks at each in the dark or in
    the light, by turns, at what is around the articles only once, and at the contrasts of every fourth pair of pages.
    """
    tab, wrong = browser.new_page(reduced_motion="reduce", viewport={"width": 390, "height": 900}), {}
    faults = watch(tab, pages.as_uri())
    tab.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ window.first = {THEME}; }})")
    for number, name in enumerate(sorted(soups)):
        faults.clear()
        colours = ("dark", "light")[number % 2]
        tab.emulate_media(color_scheme=colours)
        tab.goto((pages / name).as_uri())
        if tab.evaluate("first") != colours:
            faults.append(f"not {colours} from the start")
        if (weight := tab.evaluate(WEIGHT)) > 2.5e6:
            faults.append(f"{weight / 1e6:.1f} MB")
        if tab.evaluate(TOO_WIDE):
            faults.append("too wide")
        tab.evaluate(OPEN_AND_THIN_OUT)
        rules = {"color-contrast": {"enabled": number % 8 < 2}}
        options = {"resultTypes": ["violations"], "preload": False, "rules": rules}
        found = Axe().run(tab, "html" if number < 2 else "main", options).response["violations"]
        faults += [each for each in found if each["impact"] in ("serious", "critical")]
        if faults:
            wrong[name] = [*faults]
    tab.close()
    assert wrong == {}
    assert len(soups) > len(NOTEBOOKS)


def test_every_public_name_is_there_once_from_a_docstring_that_is_whole(soups):
    """numpydoc's own labels would show as [R68053a13ef6f-1]; a formula without `::` loses its line breaks."""
    page = soups["book/api.html"].article
    shown = [name["id"] for name in page.select("dt.sig-object.py")]
    names = [name for name in shown if not re.match(r"voxelwise\.[A-Z]\w+\.", name)]  # those are members of classes
    assert Counter(name.rpartition(".")[2] for name in names) == Counter([*voxelwise.__all__, *widgets.__all__])
    assert len(page.find_all(href="#voxelwise.Samples")) > 10
    assert not page.select('blockquote, [href*="docs.python.org"], [href*="numpy.org"]')
    assert not re.search(r"\[R[0-9a-f]{6,}-\d", page.get_text())


def test_each_link_leads_somewhere(pages, soups):
    """Files and anchors are there."""
    anchors = {pages / name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in soups.items()}
    for name, soup in soups.items():
        for link in soup.select('a[href]:not([href*=":"])'):
            url = urlsplit(unquote(link["href"]))
            target = (pages / name).parent.joinpath(url.path).resolve() if url.path else pages / name
            assert target.is_file() and (not url.fragment or url.fragment in anchors.get(target, [url.fragment])), link


def test_the_front_door_leads_on_paper_is_light_and_the_search_finds(pages, open_tab):
    page = open_tab(f"{pages.as_uri()}/", viewport={"width": 390, "height": 900}, color_scheme="dark")
    page.goto(f"{pages.as_uri()}/index.html")
    page.wait_for_url("**/book/index.html")
    for event, theme in (("beforeprint", "light"), ("afterprint", "dark")):
        assert page.evaluate(f"dispatchEvent(new Event('{event}')), {THEME}") == theme
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    page.keyboard.type("receptive field")
    page.keyboard.press("Enter")
    page.locator("#search-results .search li a[href*='04_receptive_fields']").first.click()
    page.wait_for_url("**/04_receptive_fields.html*")
