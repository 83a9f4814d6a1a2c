"""The chapters as they are stored: whole, fresh, free of machine and time; and what a change of parameters does.

nbval compares the stored text with a fresh run, but passes a notebook without outputs and looks at no picture. These tests
do.
"""

import base64
import functools
import io
import re

import nbformat
import numpy as np
import pytest
from PIL import Image
from voxelwise import cross_validate_ridge, load_recording, load_samples

from conftest import CHAPTERS, NOTEBOOKS, ROOT
from press.chapters import find_chapters, run_chapter, tagged_cells
from press.parameters import read_parameters

MAX_RMS = 2  # of 255
each_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
each_notebook = pytest.mark.parametrize("chapter", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


@functools.cache
def stored(chapter):
    return nbformat.read(chapter, as_version=4)


@pytest.fixture(scope="session")
def run(tmp_path_factory):
    """Run a chapter as it is, once in the session."""
    return functools.cache(lambda chapter: run_chapter(chapter, {}, tmp_path_factory.mktemp("fresh") / chapter.name))


@pytest.fixture(scope="session")
def fresh(run):
    """What a chapter is after a fresh run."""
    return lambda chapter: stored(run(chapter).notebook)


def run_with(chapter, tmp_path, **parameters):
    """Everything that a chapter prints under other parameters."""
    run_chapter(ROOT / "book" / f"{chapter}.ipynb", parameters, tmp_path / "chapter.ipynb")
    return printed(nbformat.read(tmp_path / "chapter.ipynb", as_version=4))


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell):
    """What each output says: printed text, or a table as text and as HTML; the pictures are compared elsewhere."""
    return [
        output.get("text") or {kind: without_data(text) for kind, text in output.get("data", {}).items() if kind != "image/png"}
        for output in cell.outputs
    ]


def without_data(text):
    """A picture to touch, less its numbers: their last digits may differ. test_explorer.py compares them with fresh ones."""
    return re.sub(r"[A-Za-z0-9+/=]{64,}", "...", text) if 'class="brain-fragment' in text else text


def printed(notebook):
    return "".join(output.get("text", "") for cell in code_cells(notebook) for output in cell.outputs)


def pictures(cell):
    """The cell's PNG outputs as arrays (height, width, 4)."""
    pngs = [output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {})]
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"), dtype=float) for png in pngs]


def test_there_are_eleven_chapters():
    assert len(CHAPTERS) == 11
    assert find_chapters(ROOT) == NOTEBOOKS


@each_notebook
def test_cells_were_run_once_in_order(chapter):
    counts = [cell.execution_count for cell in code_cells(stored(chapter))]
    assert counts == list(range(1, len(counts) + 1))


@each_notebook
def test_each_cell_has_the_outputs_of_a_fresh_run(chapter, fresh):
    """Text to the letter, pictures as many: a stripped cell, an old one or a changed digit is seen."""
    for old, new in zip(code_cells(stored(chapter)), code_cells(fresh(chapter)), strict=True):
        assert old.source == new.source
        assert len(pictures(old)) == len(pictures(new)), old.source
        assert texts(old) == texts(new), old.source


@each_notebook
def test_figures_look_like_those_of_a_fresh_run(chapter, fresh):
    n_compared = 0
    for old, new in zip(code_cells(stored(chapter)), code_cells(fresh(chapter)), strict=True):
        for before, now in zip(pictures(old), pictures(new), strict=True):
            assert before.shape == now.shape, old.source
            rms = np.sqrt(np.mean((before - now) ** 2))
            assert rms <= MAX_RMS, f"{old.source}\ndiffers by RMS {rms:.1f}; if that is meant: make refresh"
            n_compared += 1
    assert n_compared > 0


@each_chapter
def test_memory_stays_below_1_5_gb(chapter, run):
    assert 1e8 < run(chapter).memory < 1.5e9  # Python with NumPy alone takes as much as the first


@each_notebook
def test_outputs_hold_no_warning_path_or_home(chapter):
    machine = re.compile(r"(^|[\s\"'(])(/[\w.-]+){2,}|[A-Z]:\\|nilearn_data|\.venv|site-packages|Warning", re.MULTILINE)
    for cell in code_cells(stored(chapter)):
        for output in cell.outputs:
            assert output.get("name") != "stderr", cell.source
            assert output.output_type != "error", cell.source
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not machine.search(text), text


@each_notebook
def test_metadata_hold_nothing_of_machine_or_time(chapter):
    notebook = stored(chapter)
    assert "papermill" not in notebook.metadata and "version" not in notebook.metadata.language_info
    for cell in notebook.cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}, cell.source


@each_notebook
def test_every_figure_has_caption_name_and_alt_text(chapter):
    for cell in code_cells(stored(chapter)):
        if pictures(cell):
            assert len(cell.metadata.mystnb.image.alt) > 40, cell.source
            assert len(cell.metadata.mystnb.figure.caption) > 20, cell.source
            assert cell.metadata.mystnb.figure.name.startswith("fig-"), cell.source


def test_figure_names_and_alt_texts_are_unique():
    figures = [cell.metadata.mystnb for chapter in NOTEBOOKS for cell in code_cells(stored(chapter)) if pictures(cell)]
    assert len({figure.figure.name for figure in figures}) == len({figure.image.alt for figure in figures}) == len(figures)


@each_notebook
def test_every_parameter_is_typed_and_explained(chapter):
    parameters = read_parameters(chapter)
    assert chapter not in CHAPTERS or {"dataset", "data_dir", "lag"} <= parameters.keys()
    for parameter in parameters.values():
        assert parameter.inferred_type_name != "None" and parameter.help, parameter.name


def test_cells_are_short_and_narrow():
    for chapter in NOTEBOOKS:
        for cell in code_cells(stored(chapter)):
            lines = cell.source.splitlines()
            assert len(lines) <= 15, cell.source
            assert max(map(len, lines)) <= 88, cell.source


def test_cover_is_the_stored_picture():
    (cell,) = tagged_cells(ROOT / "book" / "04_receptive_fields.ipynb", "cover")
    cover = np.asarray(Image.open(ROOT / "book" / "cover.png").convert("RGBA"), dtype=float)
    np.testing.assert_array_equal(cover, pictures(cell)[0])


def test_published_shapes_are_printed():
    assert "(n_samples, n_voxels) = (2860, 5438)" in printed(stored(CHAPTERS[0]))
    assert "(n_samples, n_pixels) = (2860, 100)" in printed(stored(CHAPTERS[0]))


def test_alpha_lag_and_folds_change_the_scores(recording, tmp_path):
    text = run_with("02_building_the_encoding_model", tmp_path, alpha=5000.0, lag=3, n_splits=4)
    scores = cross_validate_ridge(load_samples(recording, lag=3), alpha=5000.0, n_splits=4).mean(axis=0)
    assert f"best voxel: {scores.argmax()} at" in text
    assert f"R2 = {scores.max():.2f}\n" in text
    assert f"voxels with R2 above 0: {(scores > 0).sum()} of 5438" in text
    assert "fold  4: run 16, 17, 18, 19, 20 (710 samples)" in text
    assert "(n_splits, n_voxels) = (4, 5438)" in text


def test_lag_changes_the_matrices(tmp_path):
    text = run_with("01_loading_the_data", tmp_path, lag=4)
    assert "(2820, 5438)" in text
    assert "closest agreement is at lag 2; this chapter uses lag 4" in text


@each_chapter
def test_each_chapter_runs_on_a_folder_of_ones_own(chapter, small_folder, tmp_path):
    """No run 3 of 145 volumes, no slice 10, no background, no regions, no truth: other examples are found."""
    parameters = dict(dataset=str(small_folder), lag=0, alpha=1.0, n_splits=4)
    known = read_parameters(chapter)
    text = run_with(chapter.stem, tmp_path, **{name: parameters[name] for name in parameters if name in known})
    assert "Recording: mine" in text
    samples = load_samples(load_recording(small_folder), lag=0)
    if "alpha" in known:
        best = cross_validate_ridge(samples, 1.0, 4).mean(axis=0).max()
        assert f"R2 = {best:.2f}" in text
    if "marked_voxels" in known:
        assert "best" in text


def test_rendered_pages_show_outputs(pages):
    """The stored chapters, rendered: figures numbered and described."""
    assert "book/index.html" in (pages / "index.html").read_text()
    assert (pages / ".nojekyll").exists()  # or GitHub Pages leave out the folders that begin with _
    index = (pages / "book" / "index.html").read_text()
    for chapter in NOTEBOOKS:
        assert f'href="{chapter.stem}.html"' in index
        page = (pages / "book" / f"{chapter.stem}.html").read_text()
        for cell in code_cells(stored(chapter)):
            if pictures(cell):
                assert f'alt="{cell.metadata.mystnb.image.alt}"' in page
                assert f'id="{cell.metadata.mystnb.figure.name}"' in page
    assert "(2860, 5438)" in (pages / "book" / "01_loading_the_data.html").read_text()
