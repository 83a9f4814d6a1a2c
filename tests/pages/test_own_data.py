"""The page on one's own data: what it says holds on the folder that it makes."""

import contextlib
import io
import os
import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tests.data.stand_in import write_stand_in
from tests.notebooks import ROOT
from tests.pages.running import code_cells, read_chapter
from voxelwise import cross_validate_ridge

PAGE = ROOT / "book" / "own_data.ipynb"


@pytest.fixture(scope="module")
def page():
    return read_chapter(PAGE)


@pytest.fixture(scope="module")
def ran(page):
    """The names that the page defines, once its cells were run with other parameters than it is stored with."""
    names, (first, *others) = {}, [cell.source for cell in code_cells(page)]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.chdir("."), plt.rc_context():
        for source in (first, "subject, seed = '02', 1", *others):
            exec(source, names)
        plt.close("all")
    yield names
    names["home"].cleanup()


def test_the_road_comes_close_to_a_perfect_model(ran):
    losses = ran["losses"].iloc[:, 1]
    assert losses["every step"] > 0.9 and (losses.iloc[2:] < 0.75).all() and len(losses) == 6
    assert ran["scores"][~ran["answers"]].max() < 0.1


def test_the_group_map_shows_what_both_subjects_have(ran):
    share = ran["group"]["share"].get_fdata()
    answers = np.array([weights.any(axis=(-2, -1)) for weights in ran["truth"].values()])
    both, neither = (rule(answers, axis=0) & np.isfinite(share) for rule in (np.all, lambda a, axis: ~a.any(axis)))
    assert both.sum() > 50 and (share[both] == 1).mean() > 0.95 and (share[neither] > 0).mean() < 0.1


def test_results_find_the_fields_that_the_example_has(ran):
    """Fields lie where the example put them: pixels, times and grid all have to be right for that."""
    table = pd.read_csv(os.path.join(ran["home"].name, "results", "voxels.tsv"), sep="\t", na_values="n/a")
    row, column = 3 * (1 - table["k"] / 5), 5 * (1 - table["i"] / 9)
    inside = row.between(0.8, 2.2) & column.between(0.8, 4.2) & ran["answers"]  # elsewhere the screen cuts the field
    off = np.hypot(table["prf_row"] - row, table["prf_column"] - column)[inside]
    assert inside.sum() > 50 and off.median() < 0.25


def test_what_is_shown_for_the_real_experiment_runs_on_its_stand_in(page, tmp_path):
    write_stand_in(tmp_path, np.random.default_rng(0))
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown")
    (shown,) = [block for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "ds000255" in block]
    names = {}
    with contextlib.chdir(tmp_path):
        exec("from voxelwise import bids_recording, load_patterns, load_samples", names)
        exec(shown.replace('("motion", "high_pass")', '{"strategy": ("motion",), "motion": "basic"}'), names)
    assert names["samples"].stimulus_shape == (10, 10)
    assert np.median(cross_validate_ridge(names["samples"], alpha=1.0, cv=4).mean(axis=0)) > 0.8
