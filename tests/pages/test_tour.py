"""The tour: pictures and numbers of the chapters as they ran, on the page and for any recording."""

import base64
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from tests.notebooks import ROOT
from tests.pages.tiny_book import CONFIG, RED_PIXEL, Book
from tools.press import BuildError
from tools.press.pages import rendering, stage_pages
from tools.press.tour import find_figure, find_numbers

SCREENS = re.findall(
    r"^```\{screen\} (\S+) (\S+)\n:line: '(.+)'\n(.+)\n```$",
    (ROOT / "book" / "tour.md").read_text("utf-8"),
    re.MULTILINE,
)
PAGE = """# Tour

```{screen} 02_first fig-red
:line: '^alpha is (\\S+) and (\\d+)$'
From {1}, **not** {0}.
```

```{screen} 02_first fig-empty
:line: 'no such line (\\d+)'
Nobody reads {0}.
```
"""


@pytest.mark.parametrize(("chapter", "name", "line", "sentence"), SCREENS, ids=[screen[0] for screen in SCREENS])
def test_each_screen_finds_its_picture_and_its_numbers(chapter, name, line, sentence):
    """In the chapters as they are stored: a build on another recording may leave them out."""
    notebook = nbformat.read(ROOT / "book" / f"{chapter}.ipynb", as_version=4)
    pictures, alt = find_figure(notebook, name)
    assert len(pictures) == 1 and len(alt) > 40
    numbers = find_numbers(notebook, line)
    assert numbers, f"tour.md: {chapter} prints no line like {line}"
    assert re.findall(r"\{\d\}", sentence) and not re.search(r"\{\d\}", sentence.format(*numbers))


def test_there_are_seven_screens_and_none_has_another_form():
    assert len(SCREENS) == 7 == (ROOT / "book" / "tour.md").read_text("utf-8").count("{screen}")


def render(book, page):
    """Render a tiny book with this tour, whose chapter drew one of two figures; return the HTML file."""
    (book.root / "book" / "tour.md").write_text(page)
    (book.root / "_config.yml").write_text(CONFIG.replace("tools.press.offers", "tools.press.tour"))
    book.write_toc("tour", "02_first")
    source, output = book.root / "source", book.root / "pages"
    output.mkdir(exist_ok=True)
    stage_pages(book.root, source)
    printed = v4.new_output("stream", text="The splits\nalpha is 5 and 7\n")
    drawn = v4.new_output("display_data", {"image/png": base64.b64encode(RED_PIXEL).decode()})
    cells = [v4.new_markdown_cell("# First")]
    for name, outputs in {"red": [printed, drawn], "empty": []}.items():
        told = {"figure": {"name": f"fig-{name}", "caption": name}, "image": {"alt": f"The {name} one."}}
        cells.append(v4.new_code_cell("x = 1", outputs=outputs, metadata={"mystnb": told}))
    language = {"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    nbformat.write(v4.new_notebook(cells=cells, metadata=language), source / "book" / "02_first.ipynb")
    with rendering(source, output):
        pass
    return output / "html" / "book" / "tour.html"


def test_a_screen_shows_what_the_chapter_drew_and_printed(tmp_path):
    """Neither a picture nor a sentence where it drew nothing and printed nothing that fits."""
    page = render(Book(tmp_path / "project"), PAGE)
    article = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").article
    (picture,) = article.find_all("img")
    assert picture["alt"] == "The red one."
    assert (page.parent / picture["src"]).read_bytes() == RED_PIXEL
    assert article.find("strong").parent.get_text() == "From 7, not 5." and "Nobody" not in article.get_text()


def test_a_chapter_without_the_figure_is_an_error_that_says_which_it_has(tmp_path):
    with pytest.raises(
        BuildError, match=r"tour.md:8: ERROR: 02_first.ipynb: no figure 'fig-blue', it has fig-red, fig-e"
    ):
        render(Book(tmp_path / "project"), PAGE.replace("fig-empty", "fig-blue"))
