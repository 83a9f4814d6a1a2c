"""The page on one's own data: what it says holds on the folder that it makes."""

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from tests.notebooks import CHAPTERS, ROOT
from tests.pages.running import printed_in, read_chapter, run_with
from tools.press.analysis import prepare_recording
from tools.press.chapters import find_chapters
from tools.press.parameters import collect_values, read_parameters, share_settings

PAGE = ROOT / "book" / "own_data.ipynb"


@pytest.fixture(scope="module")
def page():
    return read_chapter(PAGE)


@pytest.fixture(scope="module")
def ran(page):
    """The names that the page defines, once its cells were run; the working directory stays where it was."""
    names, before = {}, os.getcwd()
    with contextlib.redirect_stdout(io.StringIO()), plt.rc_context():
        try:
            for cell in page.cells:
                if cell.cell_type == "code":
                    exec(cell.source, names)
        finally:
            os.chdir(before)
            plt.close("all")
    yield names
    names["home"].cleanup()


def folder(ran):
    return os.path.join(ran["home"].name, "my_recording")


def command(page, program):
    """The words of the command of a program that the page shows, with its path replaced by a placeholder."""
    text = "\n".join(cell.source for cell in page.cells if cell.cell_type == "markdown").replace("\\\n", " ")
    (line,) = [line for line in text.splitlines() if program in line and line.startswith((".", "python"))]
    return shlex.split(line)


def test_command_shown_prints_what_the_page_shows(page, ran):
    words = command(page, "-m voxelwise check")
    words[words.index("path/to/my_recording")] = "my_recording"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "book")}
    ended = subprocess.run(
        [sys.executable, *words[1:]], cwd=ran["home"].name, env=environment, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("folder      my_recording\n")
    assert ended.stdout in printed_in(page)


def test_labels_are_the_pictures_that_were_on_the_screen(ran):
    """By the events' own seconds, and the right way up: the pictures as squares, not by the page's functions."""
    bids = os.path.join(ran["home"].name, "bids")
    n_shown = 0
    for number in range(1, ran["n_runs"] + 1):
        run = f"sub-01_task-look_run-{number:02}"
        images = ran["load_recording"](folder(ran), stimulus_shape=(6, 8)).label["random"][number - 1]
        images = np.loadtxt(images, delimiter=",").reshape(-1, 8, 6).swapaxes(1, 2)
        expected = np.full(images.shape, -1.0)
        for onset, duration, name in pd.read_csv(f"{bids}/func/{run}_events.tsv", sep="\t").to_numpy():
            squares = plt.imread(f"{bids}/stimuli/{name}")[10::20, 10::20, 0]
            for volume in range(len(images)):
                if onset <= (volume + 0.5) * ran["tr"] < onset + duration:
                    expected[volume] = squares
                    n_shown += 1
        np.testing.assert_allclose(images, expected, atol=1e-3)
    assert n_shown > 200


def test_results_find_the_fields_that_the_example_has(ran):
    """Fields of the best voxels lie where the example put them: pixels, lag and grid all have to be right for that."""
    table = pd.read_csv(os.path.join(ran["home"].name, "results", "voxels.tsv"), sep="\t", na_values="n/a")
    best = table.nlargest(50, "r2")
    row, column = 6 - best["k"], 7 * (10 - best["i"]) / 10
    inside = row.between(1, 4) & column.between(1, 6)  # elsewhere the screen cuts the field
    off = np.hypot(best["field_row"] - row, best["field_column"] - column)[inside]
    assert inside.sum() > 20
    assert off.median() < 0.5
    assert (best["j"] < 6).all()


def test_half_that_answers_nothing_is_not_painted(ran):
    silent = ran["grid_positions"](ran["samples"].mask_img)[:, 1] >= 6
    assert ran["scores"][silent].max() < 0.1 < 0.3 < np.median(ran["scores"][~silent])


def test_spoilt_files_are_whole_again(ran):
    assert not ran["check_folder"](folder(ran), (6, 8)).faults


def test_settings_shown_run_a_chapter_and_give_the_score_of_the_page(page, ran, client):
    words = command(page, "build_book.py")
    settings = {words[at + 1]: words[at + 2] for at, word in enumerate(words) if word == "-p"}
    assert words[words.index("--dataset") + 1] == "path/to/my_recording"
    declared = {chapter: read_parameters(chapter) for chapter in find_chapters(ROOT)}
    parameters = share_settings(settings | {"dataset": folder(ran)}, declared)
    recording = prepare_recording(ROOT / "book", collect_values(declared, parameters))
    assert recording.name == "my_recording"
    text = run_with(client, CHAPTERS[2], **parameters[CHAPTERS[2]])
    (best,) = re.findall(r"^R2 = (\S+) at grid position", printed_in(page), re.MULTILINE)
    assert f"best voxel: R2 = {best}\n" in text


def test_sidecar_holds_the_settings_of_the_page(ran):
    with open(os.path.join(ran["home"].name, "results", "voxels.json"), encoding="utf-8") as file:
        used = json.load(file)["GeneratedBy"]
    assert used["Recording"] == "my_recording"
    assert {name: used["Parameters"][name] for name in ("lag", "alpha", "n_splits")} == {
        "lag": 2,
        "alpha": 10.0,
        "n_splits": 6,
    }


def test_page_takes_part_in_builds_of_other_recordings(page):
    """It has parameters of its own only, so that no setting meant for the chapters changes it."""
    declared = {chapter: read_parameters(chapter) for chapter in find_chapters(ROOT)}
    others = set().union(*(own for path, own in declared.items() if path != PAGE))
    assert not others & declared[PAGE].keys()
    assert share_settings({"dataset": "elsewhere", "lag": "3"}, declared)[PAGE] == {}


def test_another_repetition_time_gives_another_lag(client):
    text = run_with(client, PAGE, tr=1.25, n_runs=3, noise_sd=1.0)
    assert "lag = 4\n" in text and "run-03" in text and "run-04" not in text
