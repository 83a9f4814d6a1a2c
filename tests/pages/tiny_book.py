"""A throw-away book of one or two tiny chapters, for the tests of the command line and of the pages."""

import base64
import shutil
import subprocess
import sys

import nbformat
from nbformat import v4

from tests.notebooks import ROOT
from tests.pages.running import printed_in
from tools.press.chapters import find_chapters, run_chapters
from tools.press.parameters import read_parameters, share_settings
from tools.press.status import MARK

RED_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SHOW_RED_PIXEL = f"""
import base64
from IPython.display import Image, display
display(Image(base64.b64decode({base64.b64encode(RED_PIXEL)!r})))
"""
VOXELWISE = """
from pathlib import Path
from types import SimpleNamespace

class RecordingError(ValueError):
    pass

def load_recording(dataset="simulated", data_dir=None):
    if dataset == "simulated" or Path(dataset).is_dir():
        return SimpleNamespace(name=Path(dataset).name)
    raise RecordingError(f"there is no recording {dataset}")

def check_settings(recording, alpha=1.0, **others):
    if alpha < 0:
        raise RecordingError(f"alpha={alpha} does not fit")

def load_samples(recording, lag=2):
    return f"samples of {recording.name} at lag {lag}"
"""
RESULTS = """
from . import RecordingError

def write_results(folder, recording, samples, alpha=1.0, n_splits=10):
    if alpha == 13:
        raise RecordingError("no luck")
    folder.mkdir(exist_ok=True)
    (folder / "made_of.txt").write_text(f"{samples}, alpha {alpha}, {n_splits} folds")
"""
FIRST = 'dataset = "simulated"\nalpha: float = 1.0  # the penalty'
SECOND = "n_folds = 3\ndata_dir = None"


CONFIG = """
title: T
execute: {execute_notebooks: "off"}
sphinx: {local_extensions: {press.buttons: .}}
"""


class Book:
    """A book in a folder of its own, with a copy of the real `build_book.py` and its rooms."""

    def __init__(self, root):
        self.root = root
        (root / "book" / "voxelwise").mkdir(parents=True)
        (root / "book" / "voxelwise" / "__init__.py").write_text(VOXELWISE)
        (root / "book" / "voxelwise" / "results.py").write_text(RESULTS)
        (root / "book" / "index.md").write_text("# Home\n")
        (root / "book" / "cover.png").write_bytes(b"the old cover")
        (root / "book" / "status.md").write_text(f"# Status\n\n{MARK}\n\nNothing was measured.\n")
        (root / "_config.yml").write_text(CONFIG)
        shutil.copy(ROOT / "build_book.py", root)
        shutil.copytree(ROOT / "press", root / "press", ignore=shutil.ignore_patterns("__pycache__"))
        self.write_toc("02_first", "01_second")
        self.write_chapter("02_first", FIRST, "print('alpha is', alpha)\nprint('of', dataset)")
        self.write_chapter("01_second", SECOND, "print('folds', n_folds, 'from', data_dir)")

    def write_toc(self, *names):
        chapters = "".join(f"- file: book/{name}\n" for name in (*names, "status"))
        toc = f"format: jb-book\nroot: book/index\nchapters:\n{chapters}"
        (self.root / "_toc.yml").write_text(toc)

    def path(self, name):
        return self.root / "book" / f"{name}.ipynb"

    def write_chapter(self, name, parameters, *sources, tag=None):
        cells = [v4.new_markdown_cell(f"# {name}")]
        if parameters:
            cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
        cells += [v4.new_code_cell(source) for source in sources]
        if tag:
            cells[-1].metadata["tags"] = [tag]
        for number, cell in enumerate(cells):
            cell.id = f"cell-{number}"
        nbformat.write(v4.new_notebook(cells=cells), self.path(name))

    def command(self, *arguments, cwd=None):
        """Run the command line as a user does."""
        return subprocess.run(
            [sys.executable, self.root / "build_book.py", *arguments],
            cwd=cwd or self.root,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def refuse(self, *arguments):
        """Return the message of a command that must fail before any chapter runs."""
        ended = self.command(*arguments)
        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr
        assert "[1/" not in ended.stdout
        return ended.stderr

    def run_chapters(self, **settings):
        """Run the chapters in this process, and return what each printed."""
        runs = run_chapters(self.share_settings(**settings), self.root, self.root / "out")
        return [printed_in(nbformat.read(run.notebook, as_version=4)) for run in runs]

    def share_settings(self, **settings):
        """Return what each chapter gets of the settings."""
        return share_settings(settings, {path: read_parameters(path) for path in find_chapters(self.root)})
