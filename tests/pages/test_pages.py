"""The rendered pages as readers meet them: in a browser, wide and narrow, light and dark, served and from a file."""

import re
import shutil
from collections import Counter
from urllib.parse import unquote, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup

import voxelwise
from tests.notebooks import NOTEBOOKS, ROOT
from tests.pages.browsing import serve_folder, watch
from tools.press.chapters import find_chapters
from tools.press.pages import rendering, stage_pages
from tools.press.warm import warm_up
from voxelwise import widgets

CHAPTER = "book/02_building_the_encoding_model.html"
# What is alike would take axe most of its time: one coloured word of code stands for all of its colour, and a few
# functions, formulas and rows of a table for all.
THIN_OUT = """() => {
    const alike = [document.querySelectorAll("dl.py"), document.querySelectorAll("article .math")];
    for (const table of document.querySelectorAll("article table")) alike.push(table.querySelectorAll("tr"));
    for (const some of alike) for (const each of [...some].slice(5)) each.remove();
    const seen = new Set();
    for (const word of document.querySelectorAll("pre span[class]")) {
        const colour = `${word.closest(".cell_output") !== null} ${word.className}`;
        if (seen.has(colour)) word.replaceWith(word.textContent);
        seen.add(colour);
    }
}"""
TOO_WIDE = """async () => {
    await document.fonts.ready;
    return document.documentElement.scrollWidth > document.documentElement.clientWidth;
}"""
WEIGHT = "performance.getEntries().reduce((sum, each) => sum + (each.decodedBodySize ?? 0), 0)"  # in bytes
THEME = "document.documentElement.dataset.theme"
REACHABLE = """[...document.querySelectorAll("article :is(pre, .output, .pst-scrollable-table-container)")].every(
    each => each.scrollWidth <= each.clientWidth || each.tabIndex === 0
)"""


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
def site(pages):
    """The address of the pages on this machine, under a path of their own; it ends in a slash."""
    with serve_folder(pages.parent) as address:
        yield f"{address}{pages.name}/"


@pytest.fixture(scope="module")
def soups(pages):
    """All pages, parsed, by name; the front door, which leads on at once, is none."""
    files = [path for path in pages.rglob("*.html") if "_static" not in path.parts and path != pages / "index.html"]
    return {path.relative_to(pages).as_posix(): BeautifulSoup(path.read_text("utf-8"), "html.parser") for path in files}


def test_each_page_is_sound(browser, site, soups):
    """No fault, no request to another host, nothing too wide, no barrier: narrow and dark, and wide and light.

    Axe takes half of the time, much of it for contrasts. Pages have one style, so it looks at each in one of the two
    ways, by turns, at what is around the articles only once, and at the contrasts of every fourth pair of pages.
    """
    tab, wrong, ways = browser.new_page(reduced_motion="reduce"), {}, [(390, "dark"), (1440, "light")]
    faults = watch(tab, site)
    for number, name in enumerate(sorted(soups)):
        faults.clear()
        ways.reverse()
        for width, colours in ways:
            tab.set_viewport_size({"width": width, "height": 900})
            tab.emulate_media(color_scheme=colours)
            if (width, colours) == ways[0]:
                tab.goto(site + name)
            tab.wait_for_function(f"{THEME} === '{colours}'")
            if tab.evaluate(TOO_WIDE):
                faults.append(f"{width}: too wide")
        if (weight := tab.evaluate(WEIGHT)) > 2.5e6:
            faults.append(f"{weight / 1e6:.1f} MB")
        tab.wait_for_function(REACHABLE)  # the theme sees to it a moment after the size has changed
        tab.evaluate(THIN_OUT)
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
    members = [name for name in shown if re.fullmatch(r"voxelwise\.[A-Z]\w+\.\w+", name)]  # of classes
    names = [name.rpartition(".")[2] for name in shown if name not in members]
    assert Counter(names) == Counter([*voxelwise.__all__, *widgets.__all__])
    assert "voxelwise.PatternModel.predict" in members and not re.search(r"__|_request\b", " ".join(shown))
    assert len(page.find_all(href="#voxelwise.Samples")) > 10 and page.find(href="#voxelwise.RecordingError")
    assert not page.select('blockquote, [href*="docs.python.org"], [href*="numpy.org"]')
    assert not re.search(r"\[R[0-9a-f]{6,}-\d", page.get_text())


def test_the_tour_and_the_cards_show_what_was_found(soups):
    told = [card.get_text() for card in soups["book/index.html"].select(".found")]
    assert told and all(re.search(r"\d", text) for text in told) and soups["book/tour.html"].article.figure


def test_each_link_leads_somewhere_and_each_figure_is_told(pages, soups):
    """Files and anchors are there, nothing but a link names another host; figures have number, caption and text."""
    assert (pages / ".nojekyll").exists(), "or GitHub Pages leave out the folders that begin with _"
    anchors = {name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in soups.items()}
    for name, soup in soups.items():
        for tag in soup.find_all(["a", "link", "script", "img", "iframe", "form", "source"]):
            url = urlsplit(tag.get("href") or tag.get("src") or tag.get("action") or "")
            if url.scheme or url.netloc:
                assert tag.name == "a" or url.scheme == "data", tag
                continue
            target = ((pages / name).parent / unquote(url.path)).resolve() if url.path else pages / name
            assert target.is_file(), (name, tag)
            if url.fragment and target.suffix == ".html":
                assert unquote(url.fragment) in anchors[target.relative_to(pages.resolve()).as_posix()], (name, tag)
        for caption in soup.select("article figure figcaption"):
            assert re.match(r"Fig\. \d", caption.get_text(strip=True)) and len(caption.get_text()) > 30, name
        texts = [image.get("alt", "").strip() for image in soup.find_all("img")]
        assert all(len(text) > 20 for text in texts) and len(set(texts)) == len(texts), name


def test_pages_open_from_a_folder_and_are_searched(pages, open_tab):
    """From the front door over the tour to a chapter, its pictures, the search by its button, and what it found."""
    page = open_tab(f"{pages.as_uri()}/", viewport={"width": 390, "height": 900})
    page.goto(f"{pages.as_uri()}/index.html")
    page.wait_for_url("**/book/index.html")
    for following in ("tour", "01_loading_the_data"):
        page.get_by_role("link", name="Next").click()
        page.wait_for_url(f"**/book/{following}.html")
    page.wait_for_function("[...document.images].every(image => image.complete && image.naturalWidth > 100)")
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    page.keyboard.type("receptive field")
    page.keyboard.press("Enter")
    page.locator("#search-results .search li a[href*='04_receptive_fields']").first.click()
    page.wait_for_url("**/04_receptive_fields.html*")


def test_a_page_is_dark_from_the_start_and_light_on_paper(open_tab, site):
    """No flash of white while the rest arrives; what is printed is black on white, and then it is dark again."""
    page = open_tab(site, color_scheme="dark")
    page.add_init_script(f"addEventListener('DOMContentLoaded', () => {{ window.first = {THEME}; }})")
    page.goto(site + CHAPTER)
    assert page.evaluate("first") == "dark"
    page.evaluate(f"addEventListener('beforeprint', () => {{ window.printed = {THEME}; }})")
    page.pdf()
    assert page.evaluate(f"[printed, {THEME}]") == ["light", "dark"]
