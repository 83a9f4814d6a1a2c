"""A recording that is unlike the book's in every way, through all chapters, and onto the pages by the real command."""

import subprocess
import sys

import nibabel
import numpy as np
import pandas as pd
import pytest
from checks.short_book import copy_book

from tests.notebooks import CHAPTERS, ROOT
from tests.pages.running import find_parameters, read_chapter, run_with
from voxelwise import cross_validate_ridge, load_recording, load_samples


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """9 x 7 pixels of grey, 3 runs of different length, 24 x 20 x 12 voxels, no background, no regions, no rest."""
    rng = np.random.default_rng(1)
    folder = tmp_path_factory.mktemp("data") / "grey"
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)
    affine = np.array([[0, 0, 2.5, -30], [-2.0, 0, 0, 20], [0, 2.0, 0, -15], [0, 0, 0, 1]])  # axes in another order
    mask = np.zeros((24, 20, 12), dtype=np.uint8)
    mask[8:14, 5:12, 3:9] = 1
    nibabel.Nifti1Image(mask, affine).to_filename(folder / "mask" / "mask.nii.gz")
    weights = rng.normal(size=(63, mask.sum())) * (rng.random((63, mask.sum())) < 0.05)
    for number, n_volumes in enumerate((60, 90, 75), start=1):
        stimuli = rng.random((n_volumes, 63)).round(3)
        volumes = np.full((*mask.shape, n_volumes), 500, dtype=np.int16)
        response = np.vstack([np.zeros((1, mask.sum())), stimuli[:-1] @ weights]) + 0.3 * rng.normal(
            size=(n_volumes, mask.sum())
        )
        volumes[mask > 0] = 500 + 100 * response.T
        volumes[10, 8, 5] = 500  # a voxel that never changes
        nibabel.Nifti1Image(volumes, affine).to_filename(folder / "func" / f"run{number}.nii.gz")
        np.savetxt(folder / "label" / f"run{number}.csv", stimuli, fmt="%g", delimiter=",")
    return folder


@pytest.fixture(scope="module")
def scores(folder):
    """Mean score of each voxel."""
    samples = load_samples(load_recording(folder, stimulus_shape=(9, 7)), lag=1)
    return cross_validate_ridge(samples, alpha=1.0, n_splits=3).mean(axis=0)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_each_chapter_runs(chapter, folder, scores, client):
    """No run 3 of 145 volumes, no slice 10, no background, no regions, no rest, no truth: other examples are found."""
    parameters = dict(dataset=str(folder), stimulus_shape=[9, 7], lag=1, n_splits=3, alpha=1.0)
    text = run_with(client, chapter, **parameters)
    _, known = find_parameters(read_chapter(chapter))
    assert "Recording: grey" in text
    if chapter == CHAPTERS[0]:
        assert "(222, 63)" in text and "voxels that never change: 1\n" in text
    if "alpha" in known:
        assert f"R2 = {scores.max():.2f}" in text
    if "marked_voxels" in known:
        assert "best" in text


def test_it_goes_through_the_command_onto_the_pages(folder, scores, tmp_path):
    copy_book(tmp_path / "copy", "book/04_receptive_fields")
    settings = dict(stimulus_shape="[9, 7]", lag="1", n_splits="3", alpha="1")
    arguments = [text for name, value in settings.items() for text in ("-p", name, value)]
    program = tmp_path / "copy" / "build_book.py"
    ended = subprocess.run(
        [sys.executable, program, "--dataset", folder, "--output", tmp_path / "out", *arguments],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    fields = (tmp_path / "out" / "html" / "book" / "04_receptive_fields.html").read_text(encoding="utf-8")
    assert "Recording: grey" in fields
    assert scores.max() > 0.5
    assert f"R2 = {scores.max():.2f}" in fields
    assert "(4, 9, 7)" in fields

    table = pd.read_csv(tmp_path / "out" / "results" / "voxels.tsv", sep="\t")
    np.testing.assert_allclose(table["r2"], scores, atol=1e-4)
    assert table["constant"].sum() == 1


def test_a_wrong_shape_is_told_before_anything_runs(folder, tmp_path):
    ended = subprocess.run(
        [sys.executable, ROOT / "build_book.py", "--dataset", folder, "--output", tmp_path / "out"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert ended.returncode == 1
    assert "63 pixels" in ended.stderr and "stimulus_shape" in ended.stderr and "[1/" not in ended.stdout
