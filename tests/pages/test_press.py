"""What the pages offer beside reading: notebook, program, buttons, the cell for Colab; the status page, the kernels."""

import ast
import os
import re
import subprocess
import sys
from urllib.parse import urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat import v4

from tests.notebooks import CHAPTERS, ROOT
from tests.pages.tiny_book import FIRST, SECOND, Book
from tools.press.chapters import Run, run_chapter, run_chapters
from tools.press.offers import print_last, write_colab_cell, write_program
from tools.press.parameters import read_parameters
from tools.press.repository import describe_commit, find_address
from tools.press.status import describe_runs

OUTSIDE = ("mybinder.org", "colab.research.google.com", "github.com")
ADDRESS = "https://github.com/some-one/a.book"
PIP = """
import os, sys
print(os.environ["PIP_SAYS"])
open("asked", "a").write(" ".join(sys.argv[1:]))
"""


@pytest.fixture
def book(tmp_path, small_folder):
    return Book(tmp_path / "project")


def git(folder, *arguments):
    who = {f"GIT_{role}_{what}": "x@example.org" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, env=os.environ | who)


def links(page):
    return [a["href"] for a in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("a", href=True)]


def outside(page):
    return {link for link in links(page) if urlsplit(link).netloc in OUTSIDE}


def build(book, *arguments):
    ended = book.command("--output", book.root / "pages", *arguments)
    assert ended.code == 0, ended.err
    return book.root / "pages" / "html"


def test_pages_of_a_repository_on_github_open_its_chapters(book):
    """The links to the letter; the notebook that Colab opens is published, and fetches the rest."""
    git(book.root, "init")
    git(book.root, "remote", "add", "origin", "git@github.com:some-one/a.book.git")
    html = build(book)
    for chapter in ("02_first", "01_second"):
        assert outside(html / "book" / f"{chapter}.html") == {
            ADDRESS,
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=doc/tree/book/{chapter}.ipynb",
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=lab/tree/book/{chapter}.ipynb",
            f"https://colab.research.google.com/github/some-one/a.book/blob/gh-pages/_sources/book/{chapter}.ipynb",
        }
        offered = nbformat.read(html / "_sources" / "book" / f"{chapter}.ipynb", as_version=4)
        assert offered.cells[0].source == write_colab_cell(ADDRESS)
        assert "google" not in (html / "book" / f"{chapter}.html").read_text(encoding="utf-8").split("<article")[1]
        assert "google" not in (html / "_sources" / "book" / f"{chapter}.py").read_text(encoding="utf-8")
    assert outside(html / "book" / "status.html") == {ADDRESS}


def test_without_a_repository_nothing_leads_outside_and_the_downloads_are_there(book):
    html = build(book, "-p", "alpha", "7")
    assert [page for page in html.rglob("*.html") if outside(page)] == []
    for chapter in ("02_first", "01_second"):
        files = [f"../_sources/book/{chapter}{suffix}" for suffix in (".ipynb", ".py")]
        assert set(files) <= set(links(html / "book" / f"{chapter}.html"))
        assert all((html / "book" / file).is_file() for file in files)
    offered = nbformat.read(html / "_sources/book/02_first.ipynb", as_version=4)
    assert offered.cells[-1].outputs[0].text == "alpha is 7\nof ../../mine\n" and "google" not in str(offered)
    said = subprocess.run([sys.executable, html / "_sources/book/02_first.py"], capture_output=True, text=True)
    assert (said.stdout, said.stderr) == ("alpha is 7\nof ../../mine\n", "")

    status = BeautifulSoup((html / "book" / "status.html").read_text(encoding="utf-8"), "html.parser").article
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in status.find_all("tr")[1:]]
    assert [(row[0], row[3]) for row in rows] == [("02_first", "mine , alpha = 7"), ("01_second", "mine"), ("All", "")]
    assert all(0 < float(row[1]) < 60 and 0.01 < float(row[2]) < 1 for row in rows)
    assert "Nothing was measured" not in status.get_text() and "commit" not in status.get_text()


@pytest.mark.parametrize(
    "remote, address",
    [
        ("git@github.com:some-one/a.book.git", ADDRESS),
        ("https://me:secret@github.com/some-one/a.book", ADDRESS),
        ("ssh://git@github.com/some-one/a.book.git/", ADDRESS),
        ("https://example.org/github.com/some-one/a.book", None),
        ("/srv/a.book", None),
    ],
)
def test_only_a_repository_on_github_has_an_address(tmp_path, remote, address):
    assert find_address(tmp_path) is describe_commit(tmp_path) is None
    git(tmp_path, "init")
    git(tmp_path, "remote", "add", "origin", remote)
    assert find_address(tmp_path) == address
    git(tmp_path, "commit", "--allow-empty", "-m", "Start")
    assert re.fullmatch("[0-9a-f]{7,}", describe_commit(tmp_path))


def test_the_program_of_a_chapter_says_what_its_notebook_says(tmp_path):
    """The whole chapter, from a folder elsewhere, with warnings as errors."""
    chapter, program = nbformat.read(CHAPTERS[4], as_version=4), tmp_path / "chapter.py"
    outputs = [output for cell in chapter.cells for output in cell.get("outputs", [])]
    outputs = [output for output in outputs if "image/png" not in output.get("data", {})]
    program.write_text(write_program(chapter), encoding="utf-8")
    command, without = [sys.executable, "-W", "error", program], os.environ | {"MPLBACKEND": "Agg"}
    ended = subprocess.run(command, cwd=ROOT / "book", env=without, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    assert len(outputs) > 2
    assert ended.stdout == "".join(output.get("text") or output.data["text/plain"] + "\n" for output in outputs)


def test_a_program_runs_what_only_a_notebook_knows(tmp_path):
    sources = ["a = 1; a  # a", "%time b = a + 1", "lines = !echo shell\nprint(b, lines)", "%timeit -n1 -r1 a\nb"]
    shown = [v4.new_output("execute_result")]
    cells = [v4.new_code_cell(each, outputs=shown if each[-1] in "ab" else []) for each in sources]
    (tmp_path / "chapter.py").write_text(write_program(v4.new_notebook(cells=cells)), encoding="utf-8")
    ended = subprocess.run([sys.executable, tmp_path / "chapter.py"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    printed = [line for line in ended.stdout.splitlines() if " ± " not in line and " time" not in line.lower()]
    assert printed == ["1", "2 ['shell']", "2"]


@pytest.mark.parametrize(
    "source, expected",
    [
        ("table", "print(table)"),
        ("a = 1; a", "a = 1; print(a)"),
        ("a = 'ä'; a  # a", "a = 'ä'; print(a)"),
        ("a = 1\n(a +\n 2)  # sum", "a = 1\nprint(a +\n 2)"),
        ("for n in x:\n    n\nf(\n    'ä'\n).T", "for n in x:\n    n\nprint(f(\n    'ä'\n).T)"),
    ],
)
def test_printing_the_last_expression(source, expected):
    assert ast.dump(ast.parse(print_last(source))) == ast.dump(ast.parse(expected))


@pytest.fixture
def colab(tmp_path):
    """Run the cell as Colab does, with a pip that only says what it was asked."""
    for name, text in {"pip/__init__": "", "google/__init__": "", "google/colab": "", "pip/__main__": PIP}.items():
        (tmp_path / f"{name}.py").parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text)

    def run(before, pip_says):
        return subprocess.run(
            [sys.executable, "-c", "\n".join([before, write_colab_cell(ADDRESS), "print('on')"])],
            capture_output=True, text=True, cwd=tmp_path, env=os.environ | {"PIP_SAYS": pip_says},
        )  # fmt: skip

    return run


def test_the_cell_for_colab_installs_by_the_lock_then_asks_to_restart(colab, tmp_path):
    first = colab("import google.colab", "Successfully installed voxelwise-2.0")
    assert first.returncode == 1 and "Restart session" in first.stderr and first.stdout == ""
    lock = "https://raw.githubusercontent.com/some-one/a.book/HEAD/requirements.txt"
    assert (tmp_path / "asked").read_text(encoding="utf-8") == f"install -c {lock} voxelwise @ git+{ADDRESS}"
    again = colab("import google.colab", "Requirement already satisfied: numpy")
    assert (again.stdout, again.stderr) == ("on\n", "")
    (tmp_path / "asked").unlink()
    elsewhere = colab("", "Successfully installed voxelwise-2.0")
    assert (elsewhere.stdout, elsewhere.stderr, (tmp_path / "asked").exists()) == ("on\n", "", False)


def test_the_status_adds_up_times_and_takes_the_most_of_memory(book, tmp_path):
    book.write_chapter("02_first", FIRST + "\ndata_dir: str = None\nshape: list = None")
    chapter = book.path("02_first")
    own = {"dataset": "../mine", "data_dir": "/home/me", "alpha": 1, "lag": 3, "shape": [9, 7]}
    runs = [Run(tmp_path / "a.ipynb", 2.04, 300_000_000), Run(tmp_path / "b.ipynb", 3.5, 1_234_000_000)]
    table = describe_runs(runs, "mine", {chapter: read_parameters(chapter)}, {chapter: own, "b": {}})
    assert table.splitlines()[2:] == [
        "| {doc}`a` | 2.0 | 0.30 | `mine`, `lag = 3`, `shape = [9, 7]` |",
        "| {doc}`b` | 3.5 | 1.23 | `mine` |",
        "| **All** | 5.5 | 1.23 | |",
    ]


def test_memory_is_that_of_the_chapter_and_its_workers_alone(book):
    """Side by side: one holds 400 MB and gives them back, the other starts a process that holds 300 MB."""
    worker = "import time; held = b'x' * 300_000_000; time.sleep(2)"
    book.write_chapter("02_first", FIRST, "held = b'x' * 400_000_000; del held\nimport time; time.sleep(3)")
    start = f"import subprocess, sys, time; subprocess.run([sys.executable, '-c', {worker!r}]); time.sleep(1)"
    book.write_chapter("01_second", SECOND, start)
    plain = run_chapter(book.path("02_first"), {}, book.root / "plain.ipynb").memory - 4e8
    names = [book.path(name) for name in ("02_first", "01_second")]
    held, worked = (
        run.memory - plain for run in run_chapters({name: {} for name in names}, book.root, book.root / "out")
    )
    assert 2e7 < plain < 3e8 and 3.5e8 < held < 4.5e8 and 2.5e8 < worked < 4e8
