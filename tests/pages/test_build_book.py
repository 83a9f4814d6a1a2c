"""The command line of `build_book.py`, on throw-away books of two tiny chapters: what it refuses, stores, survives."""

import os
import shutil
import signal
import subprocess
import sys
from types import SimpleNamespace

import matplotlib.font_manager  # finds the fonts, once
import nbformat
import psutil
import pytest
from filelock import FileLock

from tests.notebooks import ROOT
from tests.pages.tiny_book import FIRST, RED_PIXEL, SECOND, SHOW_RED_PIXEL, Book
from tools.press.chapters import find_chapters
from tools.press.command import name_output
from tools.press.parameters import read_parameters, share_settings


@pytest.fixture
def book(tmp_path, small_folder, monkeypatch):
    """A book, in whose folder the commands are given."""
    book = Book(tmp_path / "né {voxels}")
    monkeypatch.chdir(book.root)
    return book


@pytest.fixture
def built(book):
    """The folder of an earlier build."""
    output = book.root / "pages"
    (output / "html").mkdir(parents=True)
    (output / "html" / "index.html").write_text("earlier")
    (output / ".lock").touch()
    return output


def earlier(output):
    return (output / "html" / "index.html").read_text(encoding="utf-8") == "earlier"


def test_refresh_keeps_what_the_author_wrote_and_stores_what_is_the_same_each_time(book):
    """It drops what depends on machine, time or tools, and makes nothing else."""
    source = "for n in 'abc':\n    print(n, flush=True)\nn"
    book.write_chapter("01_second", SECOND, source, SHOW_RED_PIXEL, tags=["cover"])
    before = nbformat.read(book.path("01_second"), as_version=4)
    ended = book.command("--refresh")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[3:] == [f"refreshed {n}" for n in ("02_first.ipynb", "01_second.ipynb", "cover.png")]
    assert (book.root / "book" / "cover.png").read_bytes() == RED_PIXEL
    assert not list(book.root.rglob("*.html")) and not list(book.root.rglob("results"))
    text = book.path("01_second").read_text(encoding="utf-8")
    for gone in ("papermill", 'execution"', str(book.root)):
        assert gone not in text
    stored = nbformat.reads(text, as_version=4)
    assert "version" not in stored.metadata.language_info
    for old, new in zip(before.cells, stored.cells, strict=True):
        assert (old.id, old.metadata, old.source) == (new.id, new.metadata, new.source)
    assert [cell.execution_count for cell in stored.cells[1:]] == [1, 2, 3]
    assert [output.output_type for output in stored.cells[2].outputs] == ["stream", "execute_result"]


def test_what_does_not_fit_is_refused_before_any_chapter_runs(book):
    def refused(*arguments):
        ended = book.command(*arguments)
        assert ended.code == 1 and "Running" not in ended.out
        return ended.err

    for arguments, message in (
        ("-p alhpa 1", "'alhpa'. They have: alpha, data_dir, dataset, lag, n_splits"),
        ("-p n_splits 2.5", "-p n_splits 2.5: 01_second.ipynb expects int (its default is 2), not float."),
        ("--refresh -p alpha 2", "leave out the other options"),
        ("--refresh --dataset=", "leave out the other options"),
        ("--dataset nowhere", "nowhere"),
        ("--output book", "book holds other files"),
    ):
        assert message in refused(*arguments.split())
    assert not (book.root / "_build").exists()
    book.write_chapter("01_second", f"{SECOND}\nrate: float = 0.05\nn_permutations: int = 9")
    assert "n_permutations=9 is too few for a rate of 0.05" in refused()
    book.write_chapter("01_second", SECOND, "1 + 1", tags=["parameters"])
    assert "01_second.ipynb has 2 cells tagged 'parameters'" in refused()
    book.path("01_second").write_text("<<<<<<< HEAD")
    assert "01_second.ipynb is not a Jupyter notebook: " in refused()
    book.path("01_second").unlink()
    assert "01_second.ipynb" in refused()


def test_values_are_read_by_the_type_of_the_parameter(book):
    book.write_chapter("02_first", "a: float = 1.0\nb: bool = True\nc: str = None\nd: list = None")
    declared = {path: read_parameters(path) for path in find_chapters(book.root)}
    first, second = share_settings(dict(a="3", b="false", c="7", d="[1e2]"), declared).values()
    assert repr(first) == repr(dict(a=3, b=False, c="7", d=[100.0])) and second == {}


def test_no_two_recordings_share_a_folder(tmp_path):
    folders = [tmp_path / name for name in ("sub-01/rec", "sub-02/rec")]
    for folder in folders:
        folder.mkdir(parents=True)
    assert len({name_output(tmp_path, SimpleNamespace(name="rec"), str(folder)) for folder in folders}) == 2


def test_of_two_builds_at_once_the_later_is_refused(built, book):
    with FileLock(built / ".lock"):
        assert book.command("--output", "pages").err == f"Another build is at work in {built}.\n"
    assert earlier(built)


def test_a_failing_chapter_and_cell_are_named(built, book):
    book.write_chapter("01_second", SECOND, "x = 1", "y = 2\nraise KeyError('voxels')")
    ended = book.command("--output", "pages")
    assert ended.code == 1 and ended.err.splitlines() == [
        "01_second.ipynb failed in code cell 3, which begins",
        "    y = 2",
        "KeyError: 'voxels'",
        f"The chapter as far as it ran: {built}/source/book/01_second.ipynb",
    ]
    assert (built / "source/book/01_second.ipynb").exists() and earlier(built)
    book.write_chapter("02_first", FIRST, "import os; os._exit(1)")
    before = book.path("01_second").read_bytes()
    book.write_toc("02_first")
    assert "02_first.ipynb: its Python died" in book.command("--refresh").err
    assert book.path("01_second").read_bytes() == before


def test_an_interrupted_build_ends_all_of_it_and_heeds_no_setting_of_the_reader(built, book, tmp_path):
    """The first chapter has run by then: with Matplotlib's own settings, and in UTF-8 whatever the locale."""
    book.write_chapter("02_first", FIRST, "import matplotlib.pyplot as plt\nprint('é', plt.rcParams['image.origin'])")
    book.write_chapter("01_second", SECOND, "import time; time.sleep(60)")
    shutil.copy(ROOT / "build_book.py", book.root)
    shutil.copytree(ROOT / "tools", book.root / "tools")
    (tmp_path / "matplotlibrc").write_text("image.origin: lower\n")
    own = dict(MPLBACKEND="Agg", MATPLOTLIBRC=str(tmp_path / "matplotlibrc"))
    own |= dict(LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0")
    own |= dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null/nowhere")
    # Or each kernel would look through all fonts again, and say so where that takes long.
    own |= dict(MPLCONFIGDIR=matplotlib.get_cachedir())
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    build = subprocess.Popen([sys.executable, "build_book.py", "--output", "pages"], env=os.environ | own, **pipes)
    said = [build.stdout.readline().split()[:2] for _ in range(2)]
    assert said == [["Running", "2"], ["[1/2]", "02_first"]], build.communicate()
    started = psutil.Process(build.pid).children(recursive=True)
    build.send_signal(signal.SIGTERM)  # which does what Ctrl-C does
    _, message = build.communicate(timeout=30)
    assert (build.returncode, message) == (130, "Interrupted. What was built before is still in place.\n")
    assert psutil.wait_procs(started, timeout=5)[1] == [] and earlier(built)
    ran = nbformat.read(built / "source/book/02_first.ipynb", as_version=4)
    assert [output.text for output in ran.cells[-1].outputs] == ["é upper\n"]


def test_rendering_that_fails_shows_why_and_keeps_the_earlier_pages(built, book):
    """Each fault with its page and line, and no more than the last lines of many."""
    faults = "{ref}`nowhere`\n\n```{screen} 02_first fig-blue\n```\n"
    (book.root / "book" / "index.md").write_text(f"# Home\n\n{faults}" + "- {ref}`many`\n" * 18)
    ended = book.command("--output", "pages")
    assert ended.code == 1 and ended.out.splitlines()[-1] == f"{built}/results"
    first, *many, last = ended.err.splitlines()
    page, log = built / "source" / "book" / "index.md", built / "render.log"
    assert (first, last) == ("Rendering failed:", f"All that was said: {log}") and len(many) == 20
    assert f"{page}:5: ERROR: 02_first.ipynb has no figure fig-blue" in log.read_text(encoding="utf-8")
    assert f"{page}:3: WARNING: undefined label: 'nowhere'" in ended.err
    assert (built / "results" / "voxels.tsv").exists() and earlier(built)
