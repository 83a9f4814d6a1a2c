"""The command line of `build_book.py`, on throw-away books of one or two tiny chapters."""

import contextlib
import fcntl
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from checks.everywhere import hold
from nbformat import v4

from tests.notebooks import ROOT
from tests.pages.tiny_book import FIRST, RED_PIXEL, SECOND, SHOW_RED_PIXEL, Book
from tools.press.chapters import find_chapters, merge_streams
from tools.press.pages import hold_folder, render_pages
from tools.press.terminal import BuildError, explain_error


@pytest.fixture
def book(tmp_path):
    return Book(tmp_path / "project")


def test_chapters_run_in_the_order_of_the_toc_each_with_its_parameters(book, capfd):
    book.write_chapter("01_second", SECOND, "import os\nprint(n_folds, 'folds in', os.path.basename(os.getcwd()))")
    outputs = book.run_chapters(alpha="1e2", n_folds="5")
    assert outputs == ["alpha is 100.0\nof simulated\n", "5 folds in book\n"]
    shown = capfd.readouterr()
    assert [line.split(" ... ")[0] for line in shown.out.splitlines()] == [
        "[1/2] 02_first",
        "[2/2] 01_second",
    ]
    assert shown.err == ""


@pytest.mark.parametrize("logger, shown", [("tornado.general", ""), ("own", "ERROR:own:a closed socket\n")])
def test_kernel_keeps_to_itself_what_goes_wrong_at_its_end(book, capfd, logger, shown):
    """But not what a chapter logs, and it leaves no name of its own there."""
    log = f"import logging, sys\nlogging.basicConfig(stream=sys.__stderr__)\nlogging.getLogger({logger!r})"
    book.write_toc("01_second")
    book.write_chapter("01_second", SECOND, "'logging' in globals()", f"{log}.error('a closed socket')")
    book.run_chapters()
    assert capfd.readouterr().err == shown
    cell = nbformat.read(book.root / "out" / "book" / "01_second.ipynb", as_version=4).cells[-2]
    assert cell.outputs[0].data["text/plain"] == "False"


def test_toc_with_parts_and_sections(book):
    for name in "abc":
        book.write_chapter(name, "x = 1")
    (book.root / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n"
        "- chapters:\n  - file: book/b\n    sections:\n    - file: book/a\n"
        "- chapters:\n  - file: book/c\n"
    )
    assert [path.stem for path in find_chapters(book.root)] == ["b", "a", "c"]


def test_missing_chapter_is_named(book):
    book.path("01_second").unlink()
    assert "_toc.yml names book/01_second" in book.refuse()


def test_chapter_that_is_no_notebook_is_named(book):
    book.path("01_second").write_text("<<<<<<< HEAD")
    assert "01_second.ipynb is not a Jupyter notebook" in book.refuse()


def test_chapter_without_parameters_cell_is_named(book):
    book.write_chapter("01_second", None, "1 + 1")
    assert "01_second.ipynb has 0 cells tagged 'parameters'" in book.refuse()


def test_chapter_with_two_parameters_cells_is_named(book):
    book.write_chapter("01_second", "x = 1", "y = 1", tag="parameters")
    assert "01_second.ipynb has 2 cells tagged 'parameters'" in book.refuse()


def test_unknown_parameter_is_named_beside_the_known_ones(book):
    message = book.refuse("-p", "alhpa", "1")
    assert "'alhpa'" in message
    assert "alpha, data_dir, dataset, n_folds" in message


@pytest.mark.parametrize(
    "name, text, expected",
    [
        ("n_folds", "2.5", "int"),
        ("n_folds", "True", "int"),
        ("n_folds", "many", "int"),
        ("alpha", "large", "float"),
        ("alpha", "true", "float"),
        ("alpha", "[1.0]", "float"),
    ],
)
def test_value_of_the_wrong_type(book, name, text, expected):
    with pytest.raises(BuildError, match=name) as error:
        book.share_settings(**{name: text})
    assert text in str(error.value)
    assert f"expects {expected}" in str(error.value)


@pytest.mark.parametrize(
    "declaration, text, value",
    [
        ("x = 1.0", "3", 3),
        ("x = 1.0", "1e-3", 0.001),
        ("x: float = 1", "0.5", 0.5),
        ("x = True", "false", False),
        ("x = 'a'", "7", "7"),
        ("x = None", "../there", "../there"),
        ("x = [1, 2]", "[1e2]", [100.0]),
    ],
)
def test_value_of_the_right_type(book, declaration, text, value):
    book.write_chapter("02_first", declaration)
    shared = book.share_settings(x=text)
    assert list(shared.values()) == [{"x": value}, {}]
    assert type(shared[book.path("02_first")]["x"]) is type(value)


def test_dataset_given_twice(book):
    assert "once" in book.refuse("--dataset", "simulated", "-p", "dataset", "simulated")


def test_refresh_takes_no_settings(book):
    for arguments in (["-p", "alpha", "2"], ["--dataset", "simulated"], ["--output", "there"]):
        assert "leave out the other options" in book.refuse("--refresh", *arguments)


def test_recording_error_ends_the_build_with_its_message(book):
    assert book.refuse("--dataset", "nowhere") == "there is no recording nowhere\n"


def test_settings_that_do_not_fit_are_refused_before_any_chapter_runs(book):
    assert book.refuse("-p", "alpha", "-2") == "alpha=-2 does not fit\n"
    assert not (book.root / "_build").exists()


def test_folder_in_use_and_folder_of_others(book):
    (book.root / "_build" / "simulated").mkdir(parents=True)
    with (book.root / "_build" / "simulated" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert "Another build is at work in _build/simulated" in book.refuse()
    assert "book holds other files" in book.refuse("--output", "book")


RENDER = """
import sys
from pathlib import Path
from tools.press.pages import hold_folder, render_pages

sys.executable = sys.argv[1] + "/python"  # jupyter-book is looked for beside it
with hold_folder(Path(sys.argv[1])) as folder:
    render_pages(folder, folder)
"""


def test_rendering_that_outlives_its_build_keeps_the_next_one_out(tmp_path):
    (tmp_path / ".lock").touch()
    jupyter_book, started, may_end = (tmp_path / name for name in ("jupyter-book", "started", "may_end"))
    jupyter_book.write_text(f"#!/bin/sh\ntouch {started}\nwhile ! test -e {may_end}; do sleep 0.1; done\n")
    jupyter_book.chmod(0o755)
    build = subprocess.Popen([sys.executable, "-c", RENDER, tmp_path], cwd=ROOT)
    try:
        while not started.exists():
            assert build.poll() is None
            time.sleep(0.05)
        build.kill()
        build.wait()
        with pytest.raises(BuildError, match="Another build is at work"), hold_folder(tmp_path):
            pass
    finally:
        may_end.touch()


def test_what_cannot_be_written_says_what_to_do(book):
    (book.root / "_build").write_text("in the way", encoding="utf-8")
    for arguments, folder in [((), "_build/simulated"), (("--refresh",), "_build/refresh")]:
        assert book.refuse(*arguments).splitlines() == [
            f"{folder} cannot be written to: Not a directory.",
            "Build with --output FOLDER, or refresh in a copy of the book that you may change.",
        ]


def test_book_that_is_read_only_is_built_elsewhere(book, tmp_path):
    """Into a folder whose name has a space and a letter beyond ASCII."""
    output = tmp_path / "pages of Zé"
    book.write_toc("02_first")
    shown = []
    for arguments in (["--output", output], [], ["--refresh"]):
        command = hold(book.root, [sys.executable, "build_book.py", *arguments])
        shown.append(subprocess.run(command, cwd=book.root, capture_output=True, text=True, timeout=120))
        if "unshare:" in shown[-1].stderr:
            pytest.skip(shown[-1].stderr)
    built, *refused = shown
    assert built.returncode == 0, built.stderr
    assert (output / "html" / "index.html").exists()
    for ended in refused:
        assert ended.returncode == 1 and ended.stdout == ""
        assert "cannot be written to" in ended.stderr and "--output" in ended.stderr
        assert "Traceback" not in ended.stderr


def test_failing_chapter_and_cell_are_named(book):
    book.write_chapter("01_second", SECOND, "x = 1", "y = 2\nraise KeyError('voxels')")
    ended = book.command()
    assert ended.returncode == 1
    assert ended.stderr.splitlines() == [
        "01_second.ipynb failed in code cell 3, which begins",
        "    y = 2",
        "KeyError: 'voxels'",
        "The chapter as far as it ran: _build/simulated/source/book/01_second.ipynb",
    ]
    assert (book.root / "_build/simulated/source/book/01_second.ipynb").exists()


#: A build in whose end asyncio tells of what it was about: by itself it does so now and then.
TALKATIVE = """
import atexit, logging, runpy
atexit.register(logging.getLogger("asyncio").error, "Task exception was never retrieved")
runpy.run_path("build_book.py", run_name="__main__")
"""


def test_interrupted_build_says_so_and_nothing_after_it(book):
    book.write_chapter("02_first", FIRST, "import time; time.sleep(60)")
    build = subprocess.Popen(
        [sys.executable, "-c", TALKATIVE],
        cwd=book.root,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A shell has what it runs in the background ignore Ctrl-C, and these tests may run there.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    running = book.root / "_build/simulated/source/book/02_first.ipynb"
    deadline = time.monotonic() + 30
    while not (running.exists() and '"running"' in running.read_text(encoding="utf-8")):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    # Python can lose the exception of a signal that arrives within a finalizer: press again, as people do.
    presses = 0
    while build.poll() is None and presses < 5:
        build.send_signal(signal.SIGINT)
        presses += 1
        with contextlib.suppress(subprocess.TimeoutExpired):
            build.wait(timeout=8)
    build.kill()
    _, message = build.communicate()
    assert build.returncode == 130
    assert message.endswith("Interrupted. What was built before is still in place.\n")


def test_cleaning_keeps_what_the_author_wrote_and_drops_the_rest(book):
    book.write_chapter("02_first", FIRST, "for n in 'abc':\n    print(n, flush=True)\nn")
    notebook = nbformat.read(book.path("02_first"), as_version=4)
    notebook.cells[2].metadata["mystnb"] = {"figure": {"name": "fig"}}
    nbformat.write(notebook, book.path("02_first"))
    book.run_chapters()
    text = (book.root / "out" / "book" / "02_first.ipynb").read_text(encoding="utf-8")
    cleaned = nbformat.reads(text, as_version=4)
    assert "papermill" not in text and 'execution"' not in text and str(book.root) not in text
    assert text.endswith("}\n")
    assert "version" not in cleaned.metadata.language_info
    assert [cell.id for cell in cleaned.cells] == ["cell-0", "cell-1", "cell-2"]
    assert [dict(cell.metadata) for cell in cleaned.cells] == [
        {},
        {"tags": ["parameters"]},
        {"mystnb": {"figure": {"name": "fig"}}},
    ]
    assert [cell.execution_count for cell in cleaned.cells[1:]] == [1, 2]
    assert [o.output_type for o in cleaned.cells[2].outputs] == ["stream", "execute_result"]


def test_merging_joins_only_consecutive_pieces_of_one_stream():
    def piece(name, text):
        return v4.new_output("stream", name=name, text=text)

    picture = v4.new_output("display_data")
    merged = merge_streams(
        [
            piece("stdout", "a"),
            piece("stdout", "b"),
            piece("stderr", "c"),
            picture,
            picture,
            piece("stderr", "d"),
        ]
    )
    assert [o.get("text") for o in merged] == ["ab", "c", None, None, "d"]


def test_refresh_is_stable_and_makes_nothing_else(book):
    """The second one also clears away what a killed one was writing."""
    book.write_chapter("01_second", SECOND, SHOW_RED_PIXEL, tag="cover")
    stored = []
    for outcome in ("refreshed", "unchanged"):
        ended = book.command("--refresh")
        assert ended.returncode == 0, ended.stderr
        assert ended.stdout.splitlines()[2:] == [
            f"{outcome} {name}" for name in ("02_first.ipynb", "01_second.ipynb", "cover.png")
        ]
        assert not list((book.root / "book").glob(".*"))
        stored.append([path.read_bytes() for path in sorted((book.root / "book").glob("*.*"))])
        (book.root / "book" / ".02_first.ipynb.new").write_text("cut")
    assert stored[0] == stored[1]
    assert (book.root / "book" / "cover.png").read_bytes() == RED_PIXEL
    assert not list(book.root.rglob("*.html")) and not list(book.root.rglob("results"))


def test_refresh_stores_nothing_when_a_chapter_fails(book):
    book.write_chapter("01_second", SECOND, "1 / 0")
    before = book.path("02_first").read_bytes()
    ended = book.command("--refresh")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
    assert book.path("02_first").read_bytes() == before


FULL = Path("/dev/full")  # a file that can never be written to for want of room
needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@needs_full
@pytest.mark.parametrize("place", ["_build/refresh/book/02_first.ipynb", "book/.02_first.ipynb.new"])
def test_refresh_on_a_full_disk_says_so_and_stores_nothing(book, place):
    (book.root / "_build/refresh/book").mkdir(parents=True)
    (book.root / "_build/refresh/.lock").touch()
    (book.root / place).symlink_to(FULL)
    before = book.path("02_first").read_bytes()
    ended = book.command("--refresh")
    assert ended.returncode == 1
    assert f"No room is left for {book.root}. Free some space" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert book.path("02_first").read_bytes() == before
    assert not list((book.root / "book").glob(".*"))


def test_cover_needs_exactly_one_image(book):
    book.write_chapter("01_second", SECOND, "1 + 1", tag="cover")
    before = book.path("02_first").read_bytes()
    ended = book.command("--refresh")
    assert ended.returncode == 1
    assert "'cover' shows 0 PNG images" in ended.stderr
    assert book.path("02_first").read_bytes() == before


def test_pages_of_a_recording_in_a_folder(book, tmp_path):
    """The whole way, from a folder beside the project to the page to open."""
    book.write_chapter("01_second", "lag = 4", SHOW_RED_PIXEL, tag="cover")
    (tmp_path / "elsewhere" / "scans").mkdir(parents=True)
    command = ["--dataset", "scans", "--output", "pages", "-p", "alpha", "5"]
    ended = book.command(*command, cwd=tmp_path / "elsewhere")
    assert ended.returncode == 0, ended.stderr
    *_, progress, results, page = ended.stdout.splitlines()
    assert re.fullmatch(r"\[results\] scores, fields and table \.\.\. \d+\.\d s", progress)
    assert (results, page) == ("pages/results", "pages/html/index.html")
    output = tmp_path / "elsewhere" / "pages"
    # A default, one set by `-p`, and one that no chapter has.
    made_of = (output / "results" / "made_of.txt").read_text(encoding="utf-8")
    assert made_of == "samples of scans at lag 4, alpha 5, 10 folds"
    assert "of ../../elsewhere/scans" in (output / "html/book/02_first.html").read_text(encoding="utf-8")
    assert (output / "html/index.html").exists()
    assert (output / "source/book/cover.png").read_bytes() == RED_PIXEL
    assert (book.root / "book" / "cover.png").read_bytes() == b"the old cover"
    assert not [path for path in output.rglob("*.html") if str(tmp_path) in path.read_text(encoding="utf-8")]


def test_failed_rendering_shows_the_warning_and_keeps_the_earlier_pages(book):
    page = book.root / "_build/simulated/html/index.html"
    page.parent.mkdir(parents=True)
    page.write_text("earlier")
    (book.root / "_build/simulated/.lock").touch()
    book.write_toc("02_first")
    (book.root / "book" / "index.md").write_text("# Home\n\n{ref}`nowhere`\n")
    ended = book.command()
    assert ended.returncode == 1
    assert ended.stdout.splitlines()[-1] == "_build/simulated/results"
    assert (book.root / "_build/simulated/results/made_of.txt").exists()
    first, warning, last = ended.stderr.splitlines()
    assert warning.startswith("book/index.md:3: WARNING: undefined label")
    assert last == "See _build/simulated/render.log"
    assert page.read_text(encoding="utf-8") == "earlier"


def test_pages_that_a_killed_build_had_moved_aside_come_back(book):
    older = book.root / "_build/simulated/.render/older/index.html"
    older.parent.mkdir(parents=True)
    older.write_text("earlier")
    (book.root / "_build/simulated/.lock").touch()
    book.write_chapter("02_first", FIRST, "1 / 0")
    assert book.command().returncode == 1
    assert (book.root / "_build/simulated/html/index.html").read_text() == "earlier"


def test_earlier_pages_come_back_when_the_new_ones_cannot_be_moved(tmp_path, monkeypatch):
    (tmp_path / "html").mkdir()
    (tmp_path / "html" / "index.html").write_text("earlier")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(returncode=0))  # and it made no pages
    with pytest.raises(FileNotFoundError):
        render_pages(tmp_path / "source", tmp_path)
    assert (tmp_path / "html" / "index.html").read_text() == "earlier"


def test_full_disk_while_rendering_is_said(tmp_path, monkeypatch):
    def run(*_, stdout, **__):
        stdout.write(b"OSError: [Errno 28] No space left on device")
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(OSError, match="No space left") as error:
        render_pages(tmp_path / "source", tmp_path)
    assert "Free some space" in explain_error(error.value, tmp_path)


def test_failure_of_the_results_keeps_the_pages(book):
    book.write_toc("02_first")
    ended = book.command("-p", "alpha", "13")
    assert ended.returncode == 1
    assert ended.stderr == "no luck\n"
    assert ended.stdout.splitlines()[-1] == "_build/simulated/html/index.html"
    assert (book.root / "_build/simulated/html/index.html").exists()
