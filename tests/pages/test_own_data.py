"""The page on one's own data: what it says holds on the folder that it makes."""

import contextlib
import io
import os
import re
import shlex

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tests.notebooks import CHAPTERS, ROOT
from tests.pages.running import code_cells, printed_in, read_chapter, run_chapter
from tools.press.chapters import find_chapters
from tools.press.parameters import read_parameters, share_settings

PAGE = ROOT / "book" / "own_data.ipynb"


@pytest.fixture(scope="module")
def page():
    return read_chapter(PAGE)


@pytest.fixture(scope="module")
def ran(page):
    """The names that the page defines, once its cells were run; the working directory stays where it was."""
    names = {}
    with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir("."), plt.rc_context():
        for cell in code_cells(page):
            exec(cell.source, names)
        plt.close("all")
    yield names
    names["home"].cleanup()


def test_results_find_the_fields_that_the_example_has(ran):
    """Fields of the best voxels lie where the example put them: pixels, lag and grid all have to be right for that."""
    table = pd.read_csv(os.path.join(ran["home"].name, "results", "voxels.tsv"), sep="\t", na_values="n/a")
    best = table.nlargest(50, "r2")
    row, column = 6 - best["k"], 7 * (10 - best["i"]) / 10
    inside = row.between(1, 4) & column.between(1, 6)  # elsewhere the screen cuts the field
    off = np.hypot(best["field_row"] - row, best["field_column"] - column)[inside]
    assert inside.sum() > 20 and off.median() < 0.5
    silent = table["j"] >= 6
    assert table["r2"][silent].max() < 0.1 < 0.3 < table["r2"][~silent].median()


def test_settings_shown_give_a_chapter_the_score_of_the_page(page, ran, client):
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown").replace("\\\n", " ")
    (words,) = [shlex.split(line) for line in text.splitlines() if "build_book.py" in line and line.startswith(".")]
    settings = {words[at + 1]: words[at + 2] for at, word in enumerate(words) if word == "-p"}
    settings["dataset"] = os.path.join(ran["home"].name, "my_recording")
    parameters = share_settings(settings, {path: read_parameters(path) for path in find_chapters(ROOT)})
    assert parameters[PAGE] == {}, "What is meant for the chapters changes the page"
    (best,) = re.findall(r"^R2 = (\S+) at grid position", printed_in(page), re.MULTILINE)
    chapter = next(path for path in CHAPTERS if "best voxel: R2 = " in printed_in(read_chapter(path)))
    assert f"best voxel: R2 = {best}\n" in run_chapter(client, read_chapter(chapter), parameters[chapter])


def test_another_repetition_time_gives_another_lag(page, client):
    text = run_chapter(client, page, dict(tr=1.25, n_runs=3, noise_sd=1.0))
    assert "lag = 4\n" in text and "run-03" in text and "run-04" not in text
