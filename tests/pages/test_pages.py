"""The rendered pages as readers meet them: in a browser, wide and narrow, light and dark, served and from a file."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import axe_playwright_python
import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.notebooks import CHAPTERS, NOTEBOOKS, ROOT, read_pictures
from tests.pages.browsing import find_chromium, watch

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text(encoding="utf-8")
TOC = re.findall(r"(?:root|file): (\S+)", (ROOT / "_toc.yml").read_text(encoding="utf-8"))
PAGES = [*TOC, "search", "genindex"]
CHAPTER_PAGES = [f"book/{path.stem}" for path in CHAPTERS]
WIDTHS = {1440: 900, 360: 740}
CHAPTER = "book/02_building_the_encoding_model"
each_page = pytest.mark.parametrize("name", PAGES)

IS_READY = """async () => {
    await window.MathJax?.startup?.promise;
    await document.fonts.ready;
}"""
HAS_COLOURS = "colours => document.documentElement.dataset.theme === colours"
WIDTH_TOO_MUCH = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"
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
FIND_FAULTS = """async () => {
    const {violations} = await axe.run(document, {resultTypes: ["violations"], preload: false});
    return violations.filter(({impact}) => ["serious", "critical"].includes(impact)).flatMap(
        ({id, nodes}) => nodes.map(({target, failureSummary}) => `${id} ${target}: ${failureSummary}`)
    );
}"""


@pytest.fixture(scope="module")
def visit(browser, site):
    """Open a page of the site, always in the same tab; returns tab and faults."""
    tab = browser.new_page(reduced_motion="reduce")
    faults = watch(tab, site)

    def open_page(name, width=1440, colours="light"):
        faults.clear()
        set_screen(tab, width, colours)
        tab.goto(f"{site}{name}.html")
        return tab, faults

    yield open_page
    tab.close()


def set_screen(tab, width, colours):
    tab.set_viewport_size({"width": width, "height": WIDTHS[width]})
    tab.emulate_media(color_scheme=colours)


@pytest.fixture(scope="module")
def soups(pages):
    """All pages, parsed, by name."""
    files = {path.relative_to(pages).with_suffix("").as_posix(): path for path in pages.rglob("*.html")}
    return {
        name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for name, path in files.items()
        if not name.startswith("_static/")
    }


@pytest.fixture(scope="module")
def anchors(soups):
    """What a link can lead to on each page."""
    return {name: {tag["id"] for tag in soup.find_all(id=True)} for name, soup in soups.items()}


def main_part(soup):
    return soup.select_one("article.bd-article") or soup.body


def test_every_page_is_looked_at(soups):
    assert set(soups) == {*PAGES, "index"}  # which leads on to book/index


@each_page
def test_page_is_sound(visit, name):
    """No fault, no request to another host, nothing too wide, no barrier: narrow and dark, then wide and light.

    Chapters are alike, and axe takes a second for each: wide, it looks at the first only.
    """
    page, faults = visit(name, 360, "dark")
    page.evaluate(IS_READY)
    page.evaluate(AXE)
    for width, colours in ((360, "dark"), (1440, "light")):
        set_screen(page, width, colours)
        page.wait_for_function(HAS_COLOURS, arg=colours)
        assert page.evaluate(WIDTH_TOO_MUCH) <= 0
        if width < 1000 or name not in CHAPTER_PAGES[1:]:
            page.evaluate(THIN_OUT)
            assert page.evaluate(FIND_FAULTS) == []
    assert faults == []


def test_an_open_page_follows_the_colours_of_the_system(visit):
    page, _ = visit(CHAPTER)
    for colours in ("light", "dark", "light"):
        page.emulate_media(color_scheme=colours)
        page.wait_for_function(HAS_COLOURS, arg=colours)


def test_page_is_dark_before_it_is_loaded(browser, site):
    """On a first visit in the dark: no flash of white while the rest arrives."""
    page = browser.new_page(color_scheme="dark")
    page.add_init_script("""addEventListener("DOMContentLoaded", () => {
        window.first = document.documentElement.dataset.theme;
    })""")
    page.route("**/pydata-sphinx-theme.js*", lambda route: route.abort())
    page.goto(f"{site}{CHAPTER}.html")
    assert page.evaluate("window.first") == "dark"
    page.close()


@each_page
def test_each_image_has_a_text_of_its_own(soups, name):
    texts = [image.get("alt", "").strip() for image in soups[name].find_all("img")]
    assert all(len(text) > 20 and not re.search(r"\.\w{3,4}$", text) for text in texts), texts
    assert len(set(texts)) == len(texts)


@each_page
def test_each_figure_has_number_and_caption(soups, name):
    numbers = []
    for image in main_part(soups[name]).find_all("img"):
        caption = image.find_parent("figure").figcaption
        assert len(caption.get_text()) > 20
        numbers.append(caption.select_one(".caption-number").get_text(strip=True))
    assert all(re.fullmatch(r"Fig\. \d+(\.\d+)?", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)


def test_picture_opens_in_full_size(visit):
    """On a phone it is too small to read."""
    page, faults = visit(CHAPTER, 360)
    picture = page.locator("article figure img").first
    assert picture.evaluate("image => image.naturalWidth > 2 * image.width")
    picture.click()
    page.wait_for_url("**/_images/*.png")
    assert faults == []


@each_page
def test_links_lead_somewhere(pages, soups, anchors, name):
    """Each file that a page names is there, and each anchor; nothing but links names another host."""
    for tag in soups[name].find_all(["a", "link", "script", "img", "iframe", "form", "source"]):
        link = tag.get("href") or tag.get("src") or tag.get("action") or ""
        url = urlsplit(link)
        if url.scheme or url.netloc:
            assert tag.name == "a" or url.scheme == "data", tag
        elif link not in ("", "#"):
            assert_is_there(pages, anchors, name, url)


def assert_is_there(pages, anchors, name, url):
    """Check one link of a page to a place in the book."""
    target = pages / f"{name}.html"
    if url.path:
        target = (target.parent / unquote(url.path)).resolve()
    assert target.is_file(), url.geturl()
    if url.fragment and target.suffix == ".html":
        page = target.relative_to(pages.resolve()).with_suffix("").as_posix()
        assert unquote(url.fragment) in anchors[page], url.geturl()


def test_code_can_be_copied(browser, site):
    page = browser.new_page()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"{site}{CHAPTER}.html")
    block = page.locator(".cell_input .highlight", has_text="cross_validate_ridge(samples, alpha=alpha").first
    block.hover()
    block.get_by_role("button", name="Copy").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.strip() == block.locator("pre").inner_text().strip()
    blocks = page.locator(".cell_input .highlight, .cell_output .highlight").count()
    assert page.locator("button.copybtn").count() >= blocks > 10
    page.close()


def test_code_can_be_copied_by_touch(browser, site):
    """A button that shows only on hovering never shows on a phone."""
    page = browser.new_page(has_touch=True, is_mobile=True, viewport={"width": 360, "height": 740})
    page.goto(f"{site}{CHAPTER}.html")
    page.wait_for_selector("button.copybtn")
    assert page.locator("button.copybtn").first.evaluate("button => getComputedStyle(button).opacity") == "1"
    page.close()


@pytest.mark.parametrize("width", WIDTHS)
def test_search_finds_receptive_field(visit, width):
    """By the page's own search button, and from the results to the page."""
    page, faults = visit(CHAPTER, width)
    page.locator("button.search-button__button:visible, button.search-button:visible").first.click()
    page.keyboard.type("receptive field")
    page.keyboard.press("Enter")
    page.wait_for_selector("#search-results .search li a")
    results = page.locator("#search-results .search li")
    assert results.count() > 3
    page.wait_for_load_state("networkidle")  # each result shows a line of its page
    results.locator("a", has_text="Receptive fields").first.click()
    page.wait_for_url("**/04_receptive_fields.html*")
    assert "Receptive fields" in page.locator("article h1").inner_text()
    assert faults == []


@pytest.mark.parametrize("opened", ["served", "from the file system"])
def test_math_is_typeset(browser, site, pages, opened):
    """With its own letters, and on paper or screen alike: from a server as from a folder."""
    home = site if opened == "served" else f"{pages.as_uri()}/"
    page = browser.new_page()
    faults = watch(page, home)
    page.goto(f"{home}{CHAPTER}.html")
    page.evaluate(IS_READY)
    formulas = page.locator("article .math")
    assert formulas.count() > 5
    assert page.locator("article .math > mjx-container").count() == formulas.count()
    assert page.locator("mjx-merror").count() == 0
    letters = "[...document.fonts].filter(font => font.status === 'loaded').map(font => font.family)"
    assert {"MJXTEX", "MJXTEX-I"} <= set(page.evaluate(letters))
    assert faults == []
    page.close()


def test_pages_open_from_the_file_system(browser, pages):
    """Another page, its pictures, the way to the next one, and the search."""
    home = f"{pages.as_uri()}/"
    page = browser.new_page()
    faults = watch(page, home)
    page.goto(f"{home}index.html")
    page.wait_for_url("**/book/index.html")
    page.get_by_role("link", name="Next").click()
    page.wait_for_url("**/book/01_loading_the_data.html")
    pictures = "[...document.images].map(async image => { await image.decode(); return image.naturalWidth; })"
    assert min(page.evaluate(f"Promise.all({pictures})")) > 100
    page.goto(f"{home}search.html?q=receptive+field")
    page.wait_for_selector("#search-results .search li a")
    assert faults == []
    page.close()


def test_folded_code_opens_by_keyboard_and_on_paper(visit):
    page, _ = visit(CHAPTER)
    folded = page.locator("details.hide").first
    code = folded.locator("pre")
    assert "import numpy" in code.text_content()
    assert not code.is_visible()
    page.emulate_media(media="print")
    assert code.evaluate("element => element.checkVisibility({contentVisibilityAuto: true})")
    page.emulate_media(media="screen")
    folded.locator("summary").focus()
    page.keyboard.press("Enter")
    assert code.is_visible()
    assert page.get_by_text("Hide the imports").is_visible()


def test_a_dark_page_is_light_on_paper(visit):
    """Paper is white: what is printed is black on it. Then the screen is dark again."""
    tab, _ = visit(CHAPTER, colours="dark")
    tab.wait_for_function(HAS_COLOURS, arg="dark")
    tab.evaluate("addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; })")
    tab.pdf()
    assert tab.evaluate("printed") == "light"
    assert tab.evaluate(HAS_COLOURS, "dark")


def test_every_stop_of_the_tab_key_can_be_seen(visit):
    """Around what has the focus there is a line or a shadow; so from the top of the page to its first words."""
    tab, _ = visit(CHAPTER)
    stops = []
    while not stops or (stops[-1][0] != "copybtn" and len(stops) < 60):
        tab.keyboard.press("Tab")
        stops.append(
            tab.evaluate("""() => {
            const stop = document.activeElement, {outlineStyle, boxShadow} = getComputedStyle(stop);
            const name = stop.classList.contains("copybtn") ? "copybtn" : stop.outerHTML.slice(0, 100);
            return [name, outlineStyle !== "none" || / 3px/.test(boxShadow)];
        }""")
        )
    assert "Skip to main content" in stops[0][0]
    assert stops[-1][0] == "copybtn"
    assert [name for name, is_seen in stops if not is_seen] == []


@pytest.mark.parametrize(
    "name, box",
    [
        (CHAPTER, ".cell_input pre"),
        ("book/benchmarks", ".pst-scrollable-table-container"),
    ],
)
def test_what_is_wide_scrolls_by_itself_and_by_keyboard(visit, name, box):
    page, _ = visit(name, 360)
    wide = page.locator(box).filter(visible=True).first
    assert wide.evaluate("box => box.scrollWidth > box.clientWidth")
    wide.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("box => box.scrollLeft > 0", arg=wide.element_handle())


def test_what_goes_on_beyond_the_edge_fades_out(visit):
    """A table may end at the edge of a column, and seem complete."""
    page, _ = visit("book/benchmarks", 360)
    fade = "box => parseFloat(getComputedStyle(box).getPropertyValue('--fade'))"
    wide = page.locator(".pst-scrollable-table-container").first
    assert wide.evaluate(fade) > 0
    wide.evaluate("box => box.scrollTo({left: box.scrollWidth, behavior: 'instant'})")
    page.wait_for_function(f"box => ({fade})(box) === 0", arg=wide.element_handle())
    page, _ = visit("book/benchmarks")
    assert page.locator(".pst-scrollable-table-container").first.evaluate(fade) == 0


def test_messages_are_seen_whole(visit):
    """On a screen of full size, no printed line hides its end."""
    page, _ = visit("book/own_data")
    boxes = page.locator("article .cell_output pre")
    assert "expected 80, the number of" in " ".join(boxes.all_inner_texts())
    assert boxes.evaluate_all("boxes => boxes.filter(box => box.scrollWidth > box.clientWidth).length") == 0


def test_no_line_begins_with_the_mark_after_a_formula(visit):
    page, _ = visit("book/05_the_visual_field", 360)
    page.evaluate(IS_READY)
    after, apart = page.evaluate("""() => {
        const places = [...document.querySelectorAll("article span.math")]
            .filter(({nextSibling}) => /^[.,:;]/.test(nextSibling?.data ?? ""))
            .map(formula => {
                const mark = document.createRange();
                mark.setStart(formula.nextSibling, 0);
                mark.setEnd(formula.nextSibling, 1);
                return mark.getBoundingClientRect().left - formula.getBoundingClientRect().right;
            });
        return [places.length, places.filter(gap => Math.abs(gap) > 2).length];
    }""")
    assert after > 2
    assert apart == 0


def test_missing_browser_skips_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setattr("browsing.shutil.which", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match="apt-get install chromium"):
        find_chromium("/nowhere/chrome")


def test_pages_show_the_outputs_of_the_notebooks(pages):
    index = (pages / "book" / "index.html").read_text(encoding="utf-8")
    for path in NOTEBOOKS:
        page = (pages / "book" / f"{path.stem}.html").read_text(encoding="utf-8")
        assert f'href="{path.stem}.html"' in index
        for cell in nbformat.read(path, as_version=4).cells:
            if read_pictures(cell.get("outputs", [])):
                assert f'alt="{cell.metadata.mystnb.image.alt}"' in page
                assert f'id="{cell.metadata.mystnb.figure.name}"' in page
    assert "(2860, 5438)" in (pages / "book" / "01_loading_the_data.html").read_text(encoding="utf-8")


def test_front_door_and_what_github_needs(pages):
    assert "book/index.html" in (pages / "index.html").read_text(encoding="utf-8")
    assert (pages / ".nojekyll").exists()  # or GitHub Pages leave out the folders that begin with _


def test_no_page_is_heavy(pages):
    """The map that can be explored brings the data of all voxels with it."""
    sizes = {path.name: path.stat().st_size for path in pages.rglob("*.html")}
    assert 500_000 < sizes["03_mapping_the_brain.html"] == max(sizes.values()) < 3_000_000
