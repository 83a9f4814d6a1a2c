"""What a build makes: the pages with all that they offer beside reading, the results, the status page."""

import json
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup

from tests.notebooks import CHAPTERS
from tests.pages.tiny_book import FIRST, SECOND, SHOW_RED_PIXEL, Book
from tools.press.offers import write_colab_cell, write_program
from tools.press.repository import describe_commit, find_address

OUTSIDE = ("mybinder.org", "colab.research.google.com", "github.com")
ADDRESS = "https://github.com/some-one/a.book"


@pytest.fixture
def book(tmp_path, small_folder):
    return Book(tmp_path / "project")


def git(folder, *arguments):
    who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | who)


def parse(page):
    return BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")


def links(page):
    return {a["href"] for a in parse(page).find_all("a", href=True)}


def outside(page):
    return {link for link in links(page) if urlsplit(link).netloc in OUTSIDE}


def test_the_whole_way_from_a_folder_to_the_page_to_open(book, tmp_path, monkeypatch):
    """No page tells where on this machine it was made; those of a repository on GitHub open their chapters there."""
    git(book.root, "init")
    git(book.root, "remote", "add", "origin", "git@github.com:some-one/a.book.git")
    sources = "print('é', alpha, 'of', dataset)", "n = 'é'; (len(n) +\n 2)  # three"
    book.write_chapter("02_first", FIRST, *sources)
    book.write_chapter("01_second", SECOND + "\nlag: int = 2", SHOW_RED_PIXEL, tag="cover")
    (tmp_path / "mine").rename(tmp_path / "scans")
    monkeypatch.chdir(tmp_path)
    ended = book.command("--dataset", "scans", "--output", "pages", "-p", "alpha", "5", "-p", "lag", "1")
    assert ended.code == 0, ended.err
    start, *progress, _, results, page = ended.out.splitlines()
    assert start.startswith("Running 2 chapters, ") and {line.split()[0] for line in progress} == {"[1/2]", "[2/2]"}
    assert (results, page) == ("pages/results", "pages/html/index.html")
    output, html = tmp_path / "pages", tmp_path / "pages" / "html"
    used = json.loads((output / "results" / "voxels.json").read_text(encoding="utf-8"))["GeneratedBy"]["Parameters"]
    assert (used["alpha"], used["lag"], used["cv"]) == (5, 1, 2)
    assert (book.root / "book" / "cover.png").read_bytes() == b"the old cover"
    assert not [page for page in html.rglob("*.html") if str(tmp_path) in page.read_text(encoding="utf-8")]

    sources = html / "_sources" / "book"
    for chapter in ("02_first", "01_second"):
        page = html / "book" / f"{chapter}.html"
        assert outside(page) == {
            ADDRESS,
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=doc/tree/book/{chapter}.ipynb",
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=lab/tree/book/{chapter}.ipynb",
            f"https://colab.research.google.com/github/some-one/a.book/blob/gh-pages/_sources/book/{chapter}.ipynb",
        }
        assert {f"../_sources/book/{chapter}{suffix}" for suffix in (".ipynb", ".py")} <= links(page)
        offered = nbformat.read(sources / f"{chapter}.ipynb", as_version=4)
        assert offered.cells[0].source == write_colab_cell(ADDRESS)
        for text in (page.read_text("utf-8").split("<article")[1], (sources / f"{chapter}.py").read_text("utf-8")):
            assert "google" not in text
    printed = "é 5 of ../../scans\n"
    assert printed in parse(html / "book/02_first.html").get_text()
    said = subprocess.run([sys.executable, sources / "02_first.py"], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == (printed + "3\n", "")

    status = parse(html / "book" / "status.html").article
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in status.find_all("tr")[1:]]
    assert [row[0] for row in rows] == ["02_first", "01_second", "All"]
    assert [row[3] for row in rows] == ["scans , alpha = 5 , lag = 1", "scans , lag = 1", ""]
    (first, second, total), (one, other, most) = ([float(row[column]) for row in rows] for column in (1, 2))
    assert total == pytest.approx(first + second, abs=0.2) and 0 < total < 60
    assert 0.01 < most == max(one, other) < 1
    assert "Nothing was measured" not in status.get_text()


def test_only_a_repository_on_github_has_an_address(tmp_path):
    """A token in the address of the remote stays secret."""
    assert find_address(tmp_path) is describe_commit(tmp_path) is None
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", "/srv/a.book")
    assert find_address(tmp_path) is None
    git(tmp_path, "remote", "set-url", "origin", "https://me:secret@github.com/some-one/a.book")
    assert find_address(tmp_path) == ADDRESS
    git(tmp_path, "commit", "--allow-empty", "-m", "Start")
    assert re.fullmatch("[0-9a-f]{7,}", describe_commit(tmp_path))


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
