"""What a build makes: pages with what the chapters found and all that they offer beside reading, and results."""

import json
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.notebooks import CHAPTERS
from tests.pages.tiny_book import FIRST, SECOND, SHOW_RED_PIXEL, Book
from tools.press.offers import write_colab_cell, write_program

OUTSIDE = ("mybinder.org", "colab.research.google.com", "github.com")
ADDRESS = "https://github.com/some-one/a.book"
FOUND = "From 7 volumes on, R² is above 0.5. Read it: from left to right."
SHOW_ALL = f"""{SHOW_RED_PIXEL}
display(HTML('<b class="brain-red">Guess</b>'), Markdown({FOUND!r}))
"""
OPENING = r"""# How many? Counting

**How many are there?**

> **Reading time:** about 9 minutes; running takes longer.

So $\hat y_t$, and $\operatorname{corr}$."""
TOUR = """# Tour

```{screen} 01_second fig-red
```

```{screen} 02_first fig-empty
```

```{touch} 01_second red
```
"""
CARDS = "# Home\n\n```{found}\n01_second fig-red\n02_first fig-empty\n```\n\n```{chapters}\n01_second\n```\n"


def parse(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def built(tmp_path_factory, small_recording):
    """A folder in which the command made ``pages`` of ``scans`` on GitHub, for a book with two figures, one drawn."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(small_recording, folder / "scans")
    book = Book(folder / "project")
    sources = "print('é', alpha, 'of', dataset)", "n = 'é'; (len(n) +\n 2)  # three"
    book.write_chapter("02_first", FIRST, *sources, "pass", mystnb={"figure": {"name": "fig-empty"}})
    second = dict(opening=OPENING, tags=["remove-input"], mystnb={"figure": {"name": "fig-red"}})
    book.write_chapter("01_second", f"{SECOND}\nlag: int = 2", SHOW_ALL, **second)
    (book.root / "book" / "index.md").write_text(CARDS)
    (book.root / "book" / "tour.md").write_text(TOUR)
    book.write_toc("tour", "02_first", "01_second")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("GITHUB_REPOSITORY", "some-one/a.book")
        ended = book.command("--dataset", "scans", "--output", "pages", "-p", "alpha", "5", "-p", "lag", "1")
    assert ended.code == 0, ended.err
    start, *progress, _, results, page = ended.out.splitlines()
    assert start.startswith("Running 2 chapters, ") and {line.split()[0] for line in progress} == {"[1/2]", "[2/2]"}
    assert (results, page) == (f"{folder}/pages/results", f"{folder}/pages/html/index.html")
    return folder


@pytest.fixture(scope="module")
def articles(built):
    return {page.stem: parse(page).article for page in (built / "pages" / "html" / "book").glob("*.html")}


def test_results_are_by_the_settings_and_no_page_tells_where_it_was_made(built):
    used = json.loads((built / "pages/results/voxels.json").read_text("utf-8"))["GeneratedBy"]["Parameters"]
    assert (used["alpha"], used["lag"], used["cv"]) == (5, 1, 2)
    assert not [page for page in built.rglob("pages/html/**/*.html") if str(built) in page.read_text("utf-8")]


def test_chapters_are_offered_as_notebook_and_program_and_open_on_other_hosts(built, articles):
    html = built / "pages" / "html"
    sources = html / "_sources" / "book"
    for chapter in ("02_first", "01_second"):
        links = {a["href"] for a in parse(html / "book" / f"{chapter}.html").find_all("a", href=True)}
        assert {link for link in links if urlsplit(link).netloc in OUTSIDE} == {
            ADDRESS,
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=lab/tree/book/{chapter}.ipynb",
            f"https://colab.research.google.com/github/some-one/a.book/blob/gh-pages/_sources/book/{chapter}.ipynb",
        }
        assert {f"../_sources/book/{chapter}{suffix}" for suffix in (".ipynb", ".py")} <= links
        assert nbformat.read(sources / f"{chapter}.ipynb", 4).cells[0].source == write_colab_cell(ADDRESS)
        assert "google" not in str(articles[chapter]) + (sources / f"{chapter}.py").read_text("utf-8")
    printed = "é 5 of ../../scans\n"
    assert printed in articles["02_first"].get_text()
    assert subprocess.check_output([sys.executable, sources / "02_first.py"], text=True) == printed + "3\n"


def test_what_was_found_is_the_caption(articles):
    """Nothing where a cell drew nothing; a picture to touch is on the tour, too."""
    for page in (articles["tour"], articles["01_second"]):
        (picture,) = page.find_all("img")
        assert picture["alt"] == FOUND and page.get_text().count(FOUND) == 1
        assert page.find("b", class_="brain-red").get_text() == "Guess"
    (figure,) = articles["01_second"].find_all("figure")
    assert FOUND in figure.figcaption.get_text() and "Guess" not in figure.get_text()


def test_cards_show_what_was_found_and_what_a_chapter_asks(articles):
    """The first sentence, and its first number; the method, the question and the time, and the first figure."""
    found, chapter = articles["index"].select(".sd-card")
    assert [each.get_text() for each in found.select("p")[:2]] == ["7", "From 7 volumes on, R² is above 0.5."]
    assert all(text in chapter.get_text() for text in ("Counting", "How many are there?", "9 minutes"))
    assert FOUND in chapter.img["alt"] and chapter.img["src"].endswith("01_second-card.jpg")
    assert {link["href"] for link in articles["index"].select(".sd-card a")} == {"01_second.html"}


def test_formulas_are_mathml(articles):
    """A subscript stands beside its letter, also under a hat; names of functions are upright."""
    hat, name = articles["01_second"].select("span.math > math")
    assert hat.msub.find_previous_sibling().name == "mover" and not articles["01_second"].find("munderover")
    assert name.get_text(strip=True) == "corr" and hat.parent.parent["class"] == ["unbroken"]


def test_each_chapter_is_a_program():
    for path in CHAPTERS:
        program = write_program(nbformat.read(path, as_version=4))
        compile(program, path.name, "exec")
        assert "get_ipython" not in program


def test_the_cell_for_colab_installs_by_the_lock_then_asks_to_restart(monkeypatch):
    """Elsewhere it does nothing."""
    asked = []
    monkeypatch.setattr(subprocess, "check_output", lambda pip, **_: asked.append(pip) or "Successfully installed it")
    exec(write_colab_cell(ADDRESS), {})
    monkeypatch.setitem(sys.modules, "google.colab", sys)
    with pytest.raises(SystemExit, match="Restart session"):
        exec(write_colab_cell(ADDRESS), {})
    lock = "https://raw.githubusercontent.com/some-one/a.book/HEAD/requirements.txt"
    assert asked == [[sys.executable, "-m", "pip", "install", "-c", lock, f"voxelwise @ git+{ADDRESS}"]]
