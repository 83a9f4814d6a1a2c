"""What a cell shows below its figure is the figure's caption, on the chapter's page, in the tour and on cards."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from tests.notebooks import ROOT
from tests.pages.tiny_book import CONFIG, RED_PIXEL, Book
from tools.press import BuildError
from tools.press.captions import find_name, read_figure
from tools.press.pages import rendering, stage_pages

TOUR = (ROOT / "book" / "tour.md").read_text("utf-8")
SCREENS = re.findall(r"^```\{screen\} (\S+) (\S+)\n```$", TOUR, re.MULTILINE)
PAGE = "# Tour\n\n```{screen} 02_first fig-red\n```\n\n```{screen} 02_first fig-empty\n```\n"
TOUCH = "\n```{touch} 02_first red\n```\n"
CARDS = "# Home\n\n```{found}\n02_first fig-red\n02_first fig-empty\n```\n\n```{chapters}\n02_first\n```\n"
FOUND = "From 7 volumes on, R² is above 0.5. Read it: from left to right."
OPENING = """\
# How many? Counting

**How many are there?**

> **Reading time:** about 9 minutes; running takes longer."""
FORMULA = r"So $\hat y_t$, and $\operatorname{corr}$."
CARD = re.compile(r"^(\w+) (fig-\S+)$", re.MULTILINE)


@pytest.mark.parametrize(("chapter", "name"), sorted({*SCREENS, *CARD.findall((ROOT / "book/index.md").read_text())}))
def test_each_screen_finds_a_picture_and_a_caption_with_a_number(chapter, name):
    """In the chapters as they are stored: a build on another recording may leave them out."""
    cells = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4).cells
    (cell,) = [cell for cell in cells if find_name(cell) == name]
    pictures, caption = read_figure(cell)
    assert len(pictures) == 1 and re.search(r"\d", caption)


def test_there_are_seven_screens_and_none_has_another_form():
    assert len(SCREENS) == 7 == TOUR.count("{screen}")


def render(root, tour):
    """Render a tiny book of a tour, cards and a chapter, which drew one of two figures; return its pages' articles."""
    book = Book(root)
    (book.root / "book" / "tour.md").write_text(tour)
    (book.root / "book" / "cards.md").write_text(CARDS)
    extensions = "tools.press.captions, tools.press.told, tools.press.formulas"
    (book.root / "_config.yml").write_text(CONFIG.replace("tools.press.offers", extensions))
    book.write_toc("tour", "cards", "02_first")
    source, output = book.root / "source", book.root / "pages"
    output.mkdir()
    stage_pages(book.root, source)
    guess, image = '<b class="brain-red">Guess</b>', base64.b64encode(RED_PIXEL).decode()
    shown = {"text/html": guess}, {"image/png": image}, {"text/markdown": FOUND}
    cells = [v4.new_markdown_cell(OPENING), v4.new_markdown_cell(FORMULA)]
    for name, outputs in {"red": [v4.new_output("display_data", data) for data in shown], "empty": []}.items():
        told = {"mystnb": {"figure": {"name": f"fig-{name}"}}}
        cells.append(v4.new_code_cell("x = 1", outputs=outputs, metadata=told))
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=language), source / "book" / "02_first.ipynb")
    with rendering(source, output):
        pass
    return {
        page.stem: BeautifulSoup(page.read_text("utf-8"), "html.parser").article
        for page in (output / "html" / "book").glob("*.html")
    }


@pytest.fixture(scope="module")
def articles(tmp_path_factory):
    return render(tmp_path_factory.mktemp("tour") / "project", PAGE + TOUCH)


def test_what_was_found_is_the_caption(articles):
    """Nothing where a cell drew nothing; a picture to touch is on the tour, too."""
    for page in (articles["tour"], articles["02_first"]):
        (picture,) = page.find_all("img")
        assert picture["alt"] == FOUND and page.get_text().count(FOUND) == 1
        assert page.find("b", class_="brain-red").get_text() == "Guess"
    (figure,) = articles["02_first"].find_all("figure")
    assert FOUND in figure.figcaption.get_text() and "Guess" not in figure.get_text()


def test_cards_show_what_was_found_and_what_a_chapter_asks(articles):
    """The first sentence, and its first number; the method, the question and the time, and the first figure."""
    found, chapter = articles["cards"].select(".sd-card")
    assert [each.get_text() for each in found.select("p")[:2]] == ["7", "From 7 volumes on, R² is above 0.5."]
    for text in ("Counting", "How many are there?", "9 minutes"):
        assert text in chapter.get_text()
    assert FOUND in chapter.img["alt"] and chapter.img["src"].endswith("02_first-card.jpg")
    assert {link["href"] for link in articles["cards"].select(".sd-card a")} == {"02_first.html"}


def test_formulas_are_mathml(articles):
    """A subscript stands beside its letter, also under a hat; names of functions are upright."""
    hat, name = articles["02_first"].select("span.math > math")
    assert hat.msub.find_previous_sibling().name == "mover" and not articles["02_first"].find("munderover")
    assert name.get_text(strip=True) == "corr" and hat.parent.parent["class"] == ["unbroken"]


def test_a_chapter_without_the_figure_is_an_error_that_names_it(tmp_path):
    with pytest.raises(BuildError, match=r"tour.md:6: ERROR: 02_first.ipynb, figure fig-blue"):
        render(tmp_path / "project", PAGE.replace("fig-empty", "fig-blue"))
