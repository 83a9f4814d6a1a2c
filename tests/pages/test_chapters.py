"""The chapters as they are stored: whole, described, free of machine and time; and what a change of parameters does.

That their outputs are those of a fresh run is for nbval, and ``outputs``, to see.
"""

import re

import numpy as np
import pytest
from PIL import Image

from tests.notebooks import CHAPTERS, NOTEBOOKS, ROOT, read_pictures
from tests.pages.exercises import HEADING, numbers
from tests.pages.running import printed_in, read_chapter, run_with
from tools.press.chapters import find_chapters, tagged_cells
from tools.press.parameters import read_parameters
from voxelwise import cross_validate_ridge, load_samples
from voxelwise.plotting.fields import FIELD_THRESHOLD

#: Formulas, code, references and links.
NO_PROSE = re.compile(r"\$\$.*?\$\$|```.*?```|\$[^$]*\$|\\begin.*?\\end\{\w+\}|\{\w+\}`[^`]*`|\]\([^)]*\)", re.DOTALL)
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
each_notebook = pytest.mark.parametrize("chapter", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_eleven_chapters():
    assert len(CHAPTERS) == 11
    assert find_chapters(ROOT) == NOTEBOOKS


@each_notebook
def test_cells_were_run_once_in_order(chapter):
    counts = [cell.execution_count for cell in code_cells(read_chapter(chapter))]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_outputs_hold_no_warning_path_or_home(chapter):
    machine = re.compile(r"(^|[\s\"'(])(/[\w.-]+){2,}|[A-Z]:\\|nilearn_data|\.venv|site-packages|Warning", re.MULTILINE)
    for cell in code_cells(read_chapter(chapter)):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert output.output_type != "error", cell.source
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not machine.search(text), text


@each_notebook
def test_metadata_hold_nothing_of_machine_or_time(chapter):
    notebook = read_chapter(chapter)
    assert "papermill" not in notebook.metadata and "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}, cell.source


@each_notebook
def test_every_figure_has_caption_name_and_alt_text(chapter):
    for cell in code_cells(read_chapter(chapter)):
        if read_pictures(cell.outputs):
            assert len(cell.metadata.mystnb.image.alt) > 40, cell.source
            assert len(cell.metadata.mystnb.figure.caption) > 20, cell.source
            assert cell.metadata.mystnb.figure.name.startswith("fig-"), cell.source


def test_figure_names_and_alt_texts_are_unique():
    figures = [
        cell.metadata.mystnb
        for chapter in NOTEBOOKS
        for cell in code_cells(read_chapter(chapter))
        if read_pictures(cell.outputs)
    ]
    assert (
        len({figure.figure.name for figure in figures}) == len({figure.image.alt for figure in figures}) == len(figures)
    )


@each_notebook
def test_every_parameter_is_typed_and_explained(chapter):
    parameters = read_parameters(chapter)
    assert chapter not in CHAPTERS or {"dataset", "data_dir", "lag"} <= parameters.keys()
    for parameter in parameters.values():
        assert parameter.inferred_type_name != "None" and parameter.help, parameter.name


#: Parameters with a default of their own in some chapter: by its margin of noise, and by the time it takes.
OWN_DEFAULTS = {"min_score": {"0.2", "0.1"}, "n_permutations": {"200", "99"}}


def test_a_parameter_of_several_chapters_has_one_type_and_default():
    """A build sets it in all of them at once."""
    types, defaults = {}, {}
    for chapter in CHAPTERS:
        for name, parameter in read_parameters(chapter).items():
            types.setdefault(name, set()).add(parameter.inferred_type_name)
            defaults.setdefault(name, set()).add(parameter.default)
    assert [name for name, found in types.items() if len(found) > 1] == []
    assert {name: found for name, found in defaults.items() if len(found) > 1} == OWN_DEFAULTS


#: Numbers of the text that no cell holds: examples, 95 of 100, and what figures hide.
NO_CELL_HAS = {
    "03_mapping_the_brain": {1000, 1001}, "08_better_than_chance": {95},
    "04_receptive_fields": {FIELD_THRESHOLD},
}  # fmt: skip


@each_chapter
def test_numbers_in_the_text_have_a_source(chapter):
    """A cell or what it shows holds them, but for those below ten, which also count, list and code rest."""
    cells = code_cells(read_chapter(chapter))
    shown = [str(output.get("data", {}).get("text/plain", "")) for cell in cells for output in cell.outputs]
    known = numbers("\n".join([*(cell.source for cell in cells), printed_in(read_chapter(chapter)), *shown]))
    text = "\n".join(cell.source for cell in read_chapter(chapter).cells if cell.cell_type == "markdown")
    said = numbers(NO_PROSE.sub(" ", text.partition(HEADING)[0]))
    missing = {n for n in map(abs, said) if not (n.is_integer() and n < 10)} - set(map(abs, known))
    assert missing == NO_CELL_HAS.get(chapter.stem, set())


def test_cells_are_short_and_narrow():
    for chapter in NOTEBOOKS:
        for cell in code_cells(read_chapter(chapter)):
            lines = cell.source.splitlines()
            assert len(lines) <= 15, cell.source
            assert max(map(len, lines)) <= 88, cell.source


def test_cover_is_the_stored_picture():
    (cell,) = tagged_cells(ROOT / "book" / "04_receptive_fields.ipynb", "cover")
    cover = np.asarray(Image.open(ROOT / "book" / "cover.png").convert("RGBA"), dtype=float)
    np.testing.assert_array_equal(cover, read_pictures(cell.outputs)[0])


def test_published_shapes_are_printed():
    assert "(n_samples, n_voxels) = (2860, 5438)" in printed_in(read_chapter(CHAPTERS[0]))
    assert "(n_samples, n_pixels) = (2860, 100)" in printed_in(read_chapter(CHAPTERS[0]))


def test_alpha_lag_and_folds_change_the_scores(recording, client):
    text = run_with(client, CHAPTERS[1], alpha=5000.0, lag=4, n_splits=4)
    scores = cross_validate_ridge(load_samples(recording, lag=4), alpha=5000.0, n_splits=4).mean(axis=0)
    assert f"best voxel: {scores.argmax()} at" in text
    assert f"R2 = {scores.max():.2f}\n" in text
    assert f"voxels with R2 above 0: {(scores > 0).sum()} of 5438" in text
    assert "fold  4: run 16, 17, 18, 19, 20 (705 samples)" in text
    assert "(n_splits, n_voxels) = (4, 5438)" in text


def test_lag_changes_the_matrices(client):
    text = run_with(client, CHAPTERS[0], lag=4)
    assert "(2820, 5438)" in text
    assert "closest agreement is at lag 2; this chapter uses lag 4" in text
