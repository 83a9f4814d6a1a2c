"""The command line of `build_book.py`, on throw-away books of two tiny chapters."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from filelock import FileLock
from nbformat import v4

from tests.pages.running import printed_in
from tests.pages.tiny_book import FIRST, RED_PIXEL, SECOND, SHOW_RED_PIXEL, Book
from tools.press import BuildError, command, pages
from tools.press.chapters import find_chapters, merge_streams
from tools.press.parameters import read_parameters, share_settings

FIGURE = "import matplotlib.pyplot as plt\nplt.figure(figsize=(1, 1))\nplt.imshow([[0, 1], [2, 3]])\nprint('é')"


@pytest.fixture
def book(tmp_path, small_folder):
    return Book(tmp_path / "project")


@pytest.fixture
def built(book):
    """The same, with pages of an earlier build; the folder of those, and of what was made with them."""
    output = book.root / "_build" / command.name_output(book.root / "book", _named("mine"), "../../mine")
    (output / "html").mkdir(parents=True)
    (output / "html" / "index.html").write_text("earlier")
    (output / ".lock").touch()
    return output


def _named(name):
    return type("Recording", (), {"name": name})


def earlier(output):
    return (output / "html" / "index.html").read_text(encoding="utf-8") == "earlier"


def test_the_whole_way_from_a_folder_to_the_page_to_open(book, tmp_path, monkeypatch):
    book.write_chapter("01_second", SECOND + "\nlag: int = 2", SHOW_RED_PIXEL, tag="cover")
    (tmp_path / "mine").rename(tmp_path / "scans")
    monkeypatch.chdir(tmp_path)
    ended = book.command("--dataset", "scans", "--output", "pages", "-p", "alpha", "5", "-p", "lag", "1")
    assert ended.code == 0, ended.err
    start, *progress, last, results, page = ended.out.splitlines()
    assert start.startswith("Running 2 chapters, ") and last.startswith("[pages and results] ")
    assert {line.split()[0] for line in progress} == {"[1/2]", "[2/2]"}
    assert {line.split()[1] for line in progress} == {"02_first", "01_second"}
    assert (results, page) == ("pages/results", "pages/html/index.html")
    output = tmp_path / "pages"
    used = json.loads((output / "results" / "voxels.json").read_text(encoding="utf-8"))["GeneratedBy"]["Parameters"]
    assert (used["alpha"], used["lag"], used["cv"]) == (5, 1, 2)
    shown = (output / "html/book/02_first.html").read_text(encoding="utf-8")
    assert "alpha is 5" in shown and "of ../../scans" in shown
    assert (output / "source/book/cover.png").read_bytes() == RED_PIXEL
    assert (book.root / "book" / "cover.png").read_bytes() == b"the old cover"
    assert not [path for path in output.rglob("*.html") if str(tmp_path) in path.read_text(encoding="utf-8")]


def test_refresh_is_stable_and_makes_nothing_else(book):
    """It keeps what the author wrote, and drops what depends on the machine, the time or the tools."""
    book.write_chapter("01_second", SECOND, "for n in 'abc':\n    print(n, flush=True)\nn", SHOW_RED_PIXEL, tag="cover")
    for outcome in ("refreshed", "unchanged"):
        ended = book.command("--refresh")
        assert ended.code == 0, ended.err
        assert ended.out.splitlines()[3:] == [
            f"{outcome} {x}" for x in ("02_first.ipynb", "01_second.ipynb", "cover.png")
        ]
    assert (book.root / "book" / "cover.png").read_bytes() == RED_PIXEL
    assert not list(book.root.rglob("*.html")) and not list(book.root.rglob("results"))
    text = book.path("01_second").read_text(encoding="utf-8")
    assert "papermill" not in text and 'execution"' not in text and str(book.root) not in text
    stored = nbformat.reads(text, as_version=4)
    assert "version" not in stored.metadata.language_info
    assert [cell.id for cell in stored.cells] == [f"cell-{n}" for n in range(4)]
    assert [dict(cell.metadata) for cell in stored.cells] == [{}, {"tags": ["parameters"]}, {}, {"tags": ["cover"]}]
    assert [cell.execution_count for cell in stored.cells[1:]] == [1, 2, 3]
    assert [o.output_type for o in stored.cells[2].outputs] == ["stream", "execute_result"]


def test_the_run_is_the_same_whatever_the_reader_has_set(book, tmp_path):
    """Nor does it mind the name of the folder, or a home that cannot be written to."""
    here, there = book, Book(tmp_path / "né {voxels}")
    rc = tmp_path / "matplotlibrc"
    rc.write_text("image.origin: lower\nfigure.facecolor: red\n")
    home = dict.fromkeys(("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"), "/dev/null/nowhere")
    for each in (here, there):
        each.write_chapter("02_first", FIRST, FIGURE)
    assert here.command("--refresh").code == 0
    away = there.start(
        "--refresh", MPLBACKEND="Agg", MATPLOTLIBRC=str(rc), LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", **home
    )
    _, said = away.communicate(timeout=120)
    assert (away.returncode, said) == (0, "")
    for name in ("02_first", "01_second"):
        assert here.path(name).read_bytes() == there.path(name).read_bytes()
    kinds = [output.output_type for output in nbformat.read(here.path("02_first"), 4).cells[-1].outputs]
    assert kinds == ["stream", "display_data"]


@pytest.mark.parametrize(
    "text", ["<<<<<<< HEAD", "[]", "{}", '{"nbformat": 4, "nbformat_minor": 5, "cells": [{}]}', "\xff"]
)
def test_a_file_that_is_no_notebook_is_named(book, text):
    book.path("01_second").write_text(text, encoding="latin-1")
    assert book.refuse().startswith("01_second.ipynb is not a Jupyter notebook: ")


def test_a_chapter_that_cannot_be_run_is_named(book):
    book.write_chapter("01_second", None, "1 + 1")
    assert "01_second.ipynb has 0 cells tagged 'parameters'" in book.refuse()
    book.write_chapter("01_second", "x = 1", "y = 1", tag="parameters")
    assert "01_second.ipynb has 2 cells tagged 'parameters'" in book.refuse()
    book.path("01_second").unlink()
    assert "_toc.yml names book/01_second" in book.refuse()
    (book.root / "_toc.yml").write_text("format: jb-book\n")
    assert "_toc.yml: 'root' key not found" in book.refuse()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("-p alhpa 1", "'alhpa'. They have: alpha, data_dir, dataset, lag, n_splits"),
        ("--dataset mine -p dataset mine", "once"),
        ("--refresh -p alpha 2", "leave out the other options"),
        ("--refresh --output there", "leave out the other options"),
        ("--dataset nowhere", "nowhere"),
        ("-p alpha -2", "alpha=-2: expected a number of at least 0"),
        ("-p n_splits 5", "expected a whole number from 2 to 4"),
        ("-p lag -1", "lag=-1"),
        ("--output book", "book holds other files"),
    ],
)
def test_what_does_not_fit_is_refused_before_any_chapter_runs(book, monkeypatch, arguments, message):
    monkeypatch.chdir(book.root)
    assert message in book.refuse(*arguments.split())
    assert not (book.root / "_build").exists()


@pytest.mark.parametrize(
    "default, wrong, right",
    [
        ("max_iter: int = 10", "0", "1"),
        ("stimulus_shape: list = None", "[4]", "[4, 4]"),
        ("example_runs: list = [1, 2]", "[0, 1]", "[2, 1]"),
        ("marked_voxels: list = [[1, 1, 1]]", "[[1, 1]]", "[[0, 0, 0], [1, 2, 3]]"),
        ("alpha_range: list = [1, 9]", "[9, 1]", "[0.1, 9]"),
        ("min_score: float = 0.2", "1", "0"),
        ("repeat_kind: str = 'figure'", "faces", "random"),
        ("rate: float = 0.1\nn_permutations: int = 99", "0.001", "0.01"),
    ],
)
def test_settings_are_checked_early(book, monkeypatch, default, wrong, right):
    book.write_chapter("01_second", SECOND + f"\n{default}")
    name = default.partition(":")[0]
    monkeypatch.setattr(command, "build_book", lambda *_: None)
    assert book.command("-p", name, right).err == ""
    assert name in book.refuse("-p", name, wrong) or "n_permutations" in book.refuse("-p", name, wrong)


def test_a_search_for_the_penalty_needs_three_runs(book, tmp_path):
    book.write_chapter("01_second", SECOND + "\nalpha_range: list = [1, 9]")
    for name in ("run3", "run4"):
        (tmp_path / "mine" / "func" / f"{name}.nii.gz").unlink()
        (tmp_path / "mine" / "label" / f"{name}.csv").unlink()
    assert "mine has 2 runs to fit models to. The chapters need 3" in book.refuse()


@pytest.mark.parametrize(
    "declaration, text, value",
    [
        ("x = 1.0", "3", 3),
        ("x: float = 1", "0.5", 0.5),
        ("x = True", "false", False),
        ("x = 'a'", "7", "7"),
        ("x = None", "../there", "../there"),
        ("x = [1, 2]", "[1e2]", [100.0]),
        ("x = 1", "2.5", "expects int"),
        ("x = 1.0", "[1.0]", "expects float"),
    ],
)
def test_values_are_read_by_the_type_of_the_default(book, declaration, text, value):
    book.write_chapter("02_first", declaration)
    declared = {path: read_parameters(path) for path in find_chapters(book.root)}
    if str(value).startswith("expects"):
        with pytest.raises(BuildError, match=value):
            share_settings({"x": text}, declared)
    else:
        first, second = share_settings({"x": text}, declared).values()
        assert (first, second, type(first["x"])) == ({"x": value}, {}, type(value))


def test_no_two_recordings_share_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folders = [tmp_path / name for name in ("sub-01/rec", "sub-02/rec", "simulated")]
    for folder in folders:
        folder.mkdir(parents=True)
    book = tmp_path / "project" / "book"
    book.mkdir(parents=True)
    names = [command.name_output(book, _named(f.name), os.path.relpath(f, book)) for f in folders]
    assert len({*names, "simulated"}) == 4
    assert command.name_output(book, _named("simulated"), "simulated") == "simulated"


def test_a_folder_in_use_or_out_of_reach_is_told(built, book, monkeypatch):
    monkeypatch.chdir(book.root)
    with FileLock(built / ".lock"):
        assert f"Another build is at work in _build/{built.name}" in book.command().err
    assert earlier(built)
    (book.root / "_build" / "refresh").write_text("in the way")
    assert "_build/refresh cannot be written to" in book.refuse("--refresh")


def test_a_failing_chapter_and_cell_are_named_and_end_the_others(built, book, monkeypatch):
    monkeypatch.chdir(book.root)
    book.write_chapter("02_first", FIRST, "import time; time.sleep(60)")
    book.write_chapter("01_second", SECOND, "x = 1", "y = 2\nraise KeyError('voxels')")
    start = time.monotonic()
    ended = book.command()
    assert (ended.code, time.monotonic() - start < 40) == (1, True)
    assert ended.err.splitlines() == [
        "01_second.ipynb failed in code cell 3, which begins",
        "    y = 2",
        "KeyError: 'voxels'",
        f"The chapter as far as it ran: _build/{built.name}/source/book/01_second.ipynb",
    ]
    assert (built / "source/book/01_second.ipynb").exists() and earlier(built)
    book.write_chapter("02_first", FIRST, "import os; os._exit(1)")
    before = book.path("01_second").read_bytes()
    book.write_toc("02_first")
    assert "02_first.ipynb: its Python died" in book.command("--refresh").err
    assert book.path("01_second").read_bytes() == before


def test_an_interrupted_build_ends_all_of_it_and_says_so(built, book):
    book.write_chapter("02_first", FIRST, "import time; time.sleep(60)")
    build = book.start()
    running = built / "source/book/02_first.ipynb"
    deadline = time.monotonic() + 60
    while not (running.exists() and '"running"' in running.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline and build.poll() is None, build.communicate()
        time.sleep(0.1)
    started = psutil.Process(build.pid).children(recursive=True)
    build.send_signal(signal.SIGINT)
    _, message = build.communicate(timeout=30)
    assert (build.returncode, message) == (130, "Interrupted. What was built before is still in place.\n")
    assert psutil.wait_procs(started, timeout=5)[1] == [] and earlier(built)


def test_rendering_that_fails_shows_why_and_keeps_the_earlier_pages(built, book, monkeypatch):
    monkeypatch.chdir(book.root)
    (book.root / "book" / "index.md").write_text("# Home\n\n{ref}`nowhere`\n")
    ended = book.command()
    assert ended.code == 1 and ended.out.splitlines()[-1] == f"_build/{built.name}/results"
    _, warning, last = ended.err.splitlines()
    assert warning.startswith("book/index.md:3: WARNING: undefined label")
    assert last == f"See _build/{built.name}/render.log"
    assert (built / "results" / "voxels.tsv").exists() and earlier(built)


def test_results_that_fail_keep_the_pages(book, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOSPC, "No space left on device", "scores.nii.gz")

    monkeypatch.setattr("tools.press.settings.save_results", fail)
    ended = book.command("--output", book.root / "pages")
    assert ended.code == 1 and "No space left on device: 'scores.nii.gz'" in ended.err
    assert ended.out.splitlines()[-1].endswith("pages/html/index.html")


KILLED = """
import os, pathlib, sys
from voxelwise.files import replace_folder

rename = pathlib.Path.rename
pathlib.Path.rename = lambda path, target: os._exit(9) if path.name == "new" else rename(path, target)
with replace_folder(sys.argv[1]):
    pass
"""


def test_pages_that_a_killed_build_had_moved_aside_come_back(built, book):
    assert subprocess.run([sys.executable, "-c", KILLED, built / "html"]).returncode == 9
    assert not (built / "html").exists()
    book.write_chapter("02_first", FIRST, "1 / 0")
    assert book.command().code == 1
    assert earlier(built)


def test_pages_are_replaced_only_when_all_of_them_are_there(tmp_path, monkeypatch):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("earlier")
    with pytest.raises(KeyboardInterrupt), pages.rendering(tmp_path / "source", tmp_path):
        raise KeyboardInterrupt
    assert earlier(tmp_path) and not [path for path in tmp_path.iterdir() if path.name.startswith(".html")]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_refresh_on_a_full_disk_says_so_and_stores_nothing(book):
    (book.root / "_build/refresh/book").mkdir(parents=True)
    (book.root / "_build/refresh/.lock").touch()
    (book.root / "_build/refresh/book/02_first.ipynb").symlink_to("/dev/full")
    before = book.path("02_first").read_bytes()
    ended = book.command("--refresh")
    assert ended.code == 1 and "No space left on device" in ended.err
    assert book.path("02_first").read_bytes() == before
    assert not list((book.root / "book").glob(".*"))


def test_cover_needs_exactly_one_image(book):
    book.write_chapter("01_second", SECOND, "1 + 1", tag="cover")
    before = book.path("02_first").read_bytes()
    assert "'cover' shows 0 PNG images" in book.command("--refresh").err
    assert book.path("02_first").read_bytes() == before


def test_merging_joins_only_consecutive_pieces_of_one_stream():
    out, err = (lambda text, name=name: v4.new_output("stream", name=name, text=text) for name in ("stdout", "stderr"))
    picture = v4.new_output("display_data")
    merged = merge_streams([out("a"), out("b"), err("c"), picture, picture, err("d")])
    assert [o.get("text") for o in merged] == ["ab", "c", None, None, "d"]
    assert printed_in(v4.new_notebook(cells=[v4.new_code_cell(outputs=merged)])) == "abcd"
