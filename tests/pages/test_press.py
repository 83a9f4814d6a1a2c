"""What the pages offer beside reading: notebook, script, buttons, the cell for Colab and the status page."""

import ast
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import packages_distributions
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import nbformat
import psutil
import pytest
from bs4 import BeautifulSoup
from markdown_it import MarkdownIt
from tests.pages.test_repository import git
from tools.press.buttons import list_launches
from tools.press.colab import LIBRARIES, write_colab_cell
from tools.press.measured import make_table
from tools.press.script import print_last, write_script

from tests.notebooks import CHAPTERS, ROOT
from tests.pages.tiny_book import FIRST, Book
from tools.press.chapters import Run, run_chapter
from tools.press.memory import peak_memory
from tools.press.parameters import read_parameters
from tools.press.status import MARK, describe_build, list_changes

PIP = """
import os, sys
print(os.environ["PIP_SAYS"])
open("asked", "a").write(" ".join(sys.argv[1:]))
"""
OUTSIDE = ("mybinder.org", "colab.research.google.com", "github.com")


def links(page):
    """The address of each link on a page that is the book's own, not the theme's footer or a source."""
    return [a["href"] for a in BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser").find_all("a", href=True)]


def outside(page):
    return {link for link in links(page) if urlsplit(link).netloc in OUTSIDE}


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "project")


def render(book, *arguments):
    ended = book.command(*arguments)
    assert ended.returncode == 0, ended.stderr
    return book.root / "_build" / "simulated" / "html"


def test_pages_of_a_repository_on_github_open_its_chapters(book):
    """The links to the letter; the notebook that Colab opens is published, and fetches the rest."""
    git(book.root, "init")
    git(book.root, "remote", "add", "origin", "git@github.com:some-one/a.book.git")
    html = render(book, "-p", "alpha", "7")
    for chapter in ("02_first", "01_second"):
        assert outside(html / "book" / f"{chapter}.html") == {
            "https://github.com/some-one/a.book",
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=doc%2Ftree%2Fbook%2F{chapter}.ipynb",
            f"https://mybinder.org/v2/gh/some-one/a.book/HEAD?urlpath=lab%2Ftree%2Fbook%2F{chapter}.ipynb",
            f"https://colab.research.google.com/github/some-one/a.book/blob/gh-pages/_sources/book/{chapter}.ipynb",
        }
        offered = nbformat.read(html / "_sources" / "book" / f"{chapter}.ipynb", as_version=4)
        assert offered.cells[0].source == write_colab_cell("https://github.com/some-one/a.book")
        assert "google" not in (html / "book" / f"{chapter}.html").read_text(encoding="utf-8").split("<article")[1]
        assert "google" not in (html / "_sources" / "book" / f"{chapter}.py").read_text(encoding="utf-8")
    assert outside(html / "book" / "status.html") == {"https://github.com/some-one/a.book"}


def test_without_a_repository_nothing_leads_outside_and_the_downloads_are_there(book):
    html = render(book, "-p", "alpha", "7")
    assert [page for page in html.rglob("*.html") if outside(page)] == []
    for chapter in ("02_first", "01_second"):
        files = [f"../_sources/book/{chapter}{suffix}" for suffix in (".ipynb", ".py")]
        assert set(files) <= set(links(html / "book" / f"{chapter}.html"))
        assert all((html / "book" / file).is_file() for file in files)
    offered = nbformat.read(html / "_sources/book/02_first.ipynb", as_version=4)
    assert offered.cells[-1].outputs[0].text == "alpha is 7\nof simulated\n"
    assert "google" not in str(offered)
    script = html / "_sources/book/02_first.py"
    said = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert said.stdout == "alpha is 7\nof simulated\n" and said.stderr == ""

    status = BeautifulSoup((html / "book" / "status.html").read_text(encoding="utf-8"), "html.parser").article
    rows = [[cell.get_text(" ", strip=True) for cell in row.find_all("td")] for row in status.find_all("tr")[1:]]
    assert [(row[0], row[3]) for row in rows] == [
        ("02_first", "simulated , alpha = 7"),
        ("01_second", "simulated"),
        ("All", ""),
    ]
    assert all(0 < float(row[1]) < 60 and 0.01 < float(row[2]) < 1 for row in rows)
    assert "Nothing was measured" not in status.get_text()
    assert "commit" not in status.get_text()


def test_plain_jupyter_book_renders_a_sentence_for_the_table(book, tmp_path):
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", book.root, "--path-output", tmp_path / "plain", "-q"]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    html = tmp_path / "plain" / "_build" / "html"
    assert "Nothing was measured" in (html / "book" / "status.html").read_text(encoding="utf-8")
    assert "../_sources/book/02_first.py" in links(html / "book" / "02_first.html")


def test_a_chapter_with_a_strange_name_is_found_by_its_address():
    launches = {name: url for name, _, url in list_launches("https://github.com/some-one/a.book", "book/a b&c#1")}
    for name, folder in (("Binder", "doc/tree"), ("JupyterLab", "lab/tree")):
        (path,) = parse_qs(urlsplit(launches[name]).query)["urlpath"]  # which Jupyter decodes once more
        assert "#" not in path and unquote(path) == f"{folder}/book/a b&c#1.ipynb"
    assert unquote(urlsplit(launches["Colab"]).path).endswith("/blob/gh-pages/_sources/book/a b&c#1.ipynb")


def test_the_locked_jupyterlab_knows_the_addresses_that_binder_opens(tmp_path):
    """In both views, the page that the server returns is told which chapter to open."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--port-retries=0"]
    own = {"JUPYTER_TOKEN": "known", "JUPYTER_CONFIG_DIR": str(tmp_path), "JUPYTER_DATA_DIR": str(tmp_path)}
    with (tmp_path / "log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=os.environ | own, stdout=log, stderr=log)
    try:
        for name, _, url in list_launches("https://github.com/some-one/a.book", "book/01_loading_the_data")[:2]:
            (path,) = parse_qs(urlsplit(url).query)["urlpath"]
            page = wait_for(f"http://127.0.0.1:{port}/{path}?token=known")
            assert '"treePath": "book/01_loading_the_data.ipynb"' in page, name
            assert f'"mode": "{"multiple" if name == "JupyterLab" else "single"}-document"' in page
    finally:
        server.terminate()
        server.wait()


def wait_for(url, seconds=60):
    """Return the page at an address, as soon as a server is there."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return urllib.request.urlopen(url, timeout=seconds).read().decode()
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError) or time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def test_script_of_a_chapter_says_what_its_notebook_says(tmp_path):
    """The whole chapter as a program, from a folder elsewhere, with warnings as errors."""
    chapter = ROOT / "book" / "05_the_visual_field.ipynb"
    script = tmp_path / "chapter.py"
    script.write_text(write_script(chapter), encoding="utf-8")
    ended = subprocess.run(
        [sys.executable, "-W", "error", script], cwd=ROOT / "book", env=os.environ | {"MPLBACKEND": "Agg"},
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    outputs = [output for cell in nbformat.read(chapter, 4).cells for output in cell.get("outputs", [])]
    outputs = [output for output in outputs if "image/png" not in output.get("data", {})]
    texts = [output.get("text") or output.data["text/plain"] + "\n" for output in outputs]
    assert len(texts) > 2
    assert ended.stdout == "".join(texts)


@pytest.mark.parametrize(
    "source, expected",
    [
        ("table", "print(table)"),
        ("a = 1\n(a +\n 2)  # sum", "a = 1\nprint(a +\n 2)"),
        ("for n in x:\n    n\nf(\n    'ä'\n).T", "for n in x:\n    n\nprint(f(\n    'ä'\n).T)"),
    ],
)
def test_printing_the_last_expression(source, expected):
    assert ast.dump(ast.parse(print_last(source))) == ast.dump(ast.parse(expected))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_scripts_hold_nothing_that_only_a_notebook_understands(chapter):
    script = write_script(chapter)
    ast.parse(script)
    assert not re.search(r"^\s*[%!]|get_ipython|^# In\[", script, re.MULTILINE)
    for name in read_parameters(chapter):
        assert re.search(rf"^{name}: \w+ = ", script, re.MULTILINE)


@pytest.fixture
def colab(tmp_path):
    """Run the cell as Colab does, on a repository of this machine and with a pip that only says what it was asked."""
    repository = tmp_path / "a.book"
    (repository / "book" / "voxelwise").mkdir(parents=True)
    (repository / "book" / "voxelwise" / "__init__.py").write_text("here = True\n")
    (repository / "requirements.txt").write_text("numpy==2.4.6\n")
    git(repository, "init")
    git(repository, "add", ".")
    git(repository, "commit", "-m", "Start")
    for name, text in {
        "pip/__init__.py": "",
        "google/__init__.py": "",
        "google/colab.py": "",
        "pip/__main__.py": PIP,
    }.items():
        (tmp_path / "fakes" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "fakes" / name).write_text(text)
    (tmp_path / "content").mkdir()
    cell = write_colab_cell(repository.as_uri()).replace("/content", str(tmp_path / "content"))

    def run(before, pip_says, after="import voxelwise\nprint('in', os.getcwd(), voxelwise.here)"):
        return subprocess.run(
            [sys.executable, "-c", "\n".join([before, cell, after])], capture_output=True, text=True,
            cwd=tmp_path / "content", env=os.environ | {"PYTHONPATH": str(tmp_path / "fakes"), "PIP_SAYS": pip_says},
        )  # fmt: skip

    return run


def test_cell_for_colab_installs_by_the_lock_then_asks_to_restart(colab, tmp_path):
    ended = colab("import google.colab", "Successfully installed numpy-2.4.6")
    assert ended.returncode == 1 and "Restart session" in ended.stderr and "Traceback" not in ended.stderr
    assert ended.stdout == ""
    copy = tmp_path / "content" / "a.book"
    asked = (tmp_path / "content" / "asked").read_text(encoding="utf-8")
    assert asked == f"install -c {copy}/requirements.txt {' '.join(LIBRARIES)}"

    again = colab("import google.colab", "Requirement already satisfied: numpy")
    assert again.returncode == 0, again.stderr
    assert again.stdout == f"in {copy / 'book'} True\n"
    assert again.stderr == ""  # it was not cloned once more


def test_cell_for_colab_fails_aloud_without_the_repository(colab, tmp_path):
    (tmp_path / "a.book").rename(tmp_path / "gone")
    ended = colab("import google.colab", "Successfully installed numpy-2.4.6")
    assert ended.returncode == 1 and "CalledProcessError" in ended.stderr and "clone" in ended.stderr


def test_cell_for_colab_does_nothing_elsewhere(colab, tmp_path):
    ended = colab("", "Successfully installed numpy-2.4.6", after="print('in', os.getcwd())")
    assert (ended.stdout, ended.stderr) == (f"in {tmp_path / 'content'}\n", "")
    assert list((tmp_path / "content").iterdir()) == []


def test_cell_for_colab_is_as_short_and_narrow_as_any():
    lines = write_colab_cell("https://github.com/a-rather-long-name/and-a-long-one").splitlines()
    assert len(lines) <= 15 and max(map(len, lines)) <= 88


def test_colab_gets_every_library_that_the_chapters_import():
    """Colab has IPython, and what its pages and pip bring; the cell has all others, by names that the lock knows."""
    libraries = " ".join(LIBRARIES).split()
    colabs_own = {"ipython", "matplotlib-inline", "pillow", "requests", "tqdm", "urllib3"}
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "book" / "voxelwise").rglob("*.py")]
    sources += [cell.source for path in CHAPTERS for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
    imported = {
        name.partition(".")[0]
        for source in sources for node in ast.walk(ast.parse(source))
        if isinstance(node, (ast.Import, ast.ImportFrom)) and not getattr(node, "level", 0)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }  # fmt: skip
    known = packages_distributions()
    needed = {known[name][0].lower() for name in imported - sys.stdlib_module_names - {"voxelwise"}}
    assert needed <= set(libraries) | colabs_own
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in libraries)


def test_the_stored_status_page_holds_a_sentence_and_no_table():
    page = (ROOT / "book" / "status.md").read_text(encoding="utf-8")
    assert page.count(MARK) == 1 and "`make book`" in page and "|" not in page


def test_changed_parameters_are_those_that_differ_and_name_no_place(book):
    book.write_chapter("02_first", FIRST + "\ndata_dir: str = None\nlag: int = 2\nshape: list = None")
    declared = {book.path("02_first"): read_parameters(book.path("02_first"))}
    own = {"dataset": "../mine", "data_dir": "/home/me", "alpha": 1, "lag": 3, "shape": [9, 7]}
    assert list_changes(declared, {book.path("02_first"): own}) == {book.path("02_first"): {"lag": 3, "shape": [9, 7]}}


def test_status_adds_up_times_and_takes_the_most_of_memory(tmp_path):
    runs = [Run(tmp_path / "a.ipynb", 2.04, 300_000_000), Run(tmp_path / "b.ipynb", 3.5, 1_234_000_000)]
    table = describe_build(tmp_path, runs, "mine", {"a": {}, "b": {"lag": 3}})
    assert table.splitlines()[2:5] == [
        "| {doc}`a` | 2.0 | 0.30 | `mine` |",
        "| {doc}`b` | 3.5 | 1.23 | `mine`, `lag = 3` |",
        "| **All** | 5.5 | 1.23 | |",
    ]
    assert str(tmp_path) not in table


def test_what_was_measured_is_a_table_with_its_numbers_on_the_right():
    text = make_table(["What", "How"], ["Time", "Memory"], [["a", "b", "1", "2"], ["c", "d", "3", "4"]])
    table = BeautifulSoup(MarkdownIt("commonmark").enable("table").render(text), "html.parser")
    assert [cell.get_text() for cell in table.find_all("th")] == ["What", "How", "Time", "Memory"]
    assert [cell.get_text() for cell in table.find_all("td", style="text-align:right")] == list("1234")
    assert [cell.get_text() for cell in table.find_all("td", style=None)] == list("abcd")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems keep no record of it")
def test_memory_that_was_given_back_counts():
    source = "held = b'x' * 400_000_000; del held; print(flush=True); input()"
    process = psutil.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    process.stdout.readline()
    assert process.memory_info().rss < 1e8 < 4e8 < peak_memory(process) < 5e8
    process.communicate(b"\n")
    assert peak_memory(process) == 0  # it is no more


def test_memory_is_that_of_the_chapter_with_its_workers(book):
    """Its own, and that of a process that it starts; not that of one that ran before."""
    other = "held = b'x' * 900_000_000; print(flush=True); input()"
    mine = subprocess.Popen([sys.executable, "-c", other], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    mine.stdout.readline()
    worker = "import time; held = b'x' * 300_000_000; time.sleep(2)"
    start_worker = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {worker!r}])"
    peaks = []
    for source in ("x = 1", "held = b'x' * 400_000_000", start_worker):
        book.write_chapter("02_first", FIRST, source, "import time; time.sleep(1)")
        peaks.append(run_chapter(book.path("02_first"), {}, book.root / "out.ipynb").memory)
    mine.communicate(b"\n")
    plain, large, worked = peaks
    assert 2e7 < plain < 2.5e8
    assert 3.9e8 < large - plain < 4.5e8
    assert 2.9e8 < worked - plain < 4e8
