"""The chapter on the noise ceiling, on folders of one's own that show images again, or do not."""

import dataclasses

import nibabel
import numpy as np
import pytest

from tests.notebooks import CHAPTERS
from tests.pages.running import run_with
from voxelwise import cross_validate_ridge, load_recording, load_samples, noise_ceiling, score_transfer

CHAPTER = CHAPTERS[8]


def printed(client, folder, **parameters):
    return run_with(client, CHAPTER, **dict(dataset=str(folder), alpha=1.0, n_splits=3) | parameters)


@pytest.fixture
def folder(tmp_path):
    """3 random and 2 figure runs of 3 x 4 pixels without rest, a voxel that never changes, no regions."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "mine"
    for name in ("func", "label", "mask"):
        (folder / name).mkdir(parents=True)
    mask, affine = np.ones((3, 4, 2), dtype=np.uint8), np.diag([2.0, 2.0, 2.0, 1.0])
    nibabel.Nifti1Image(mask, affine).to_filename(folder / "mask" / "mask.nii.gz")
    weights, pictures = rng.normal(size=(12, mask.sum())), rng.random((5, 12))
    weights[:, :8] = 0
    orders = [rng.permutation(np.repeat(np.arange(5), 6)) for _ in range(2)]
    runs = {f"random_run{number}": rng.random((50, 12)) for number in range(3)}
    runs |= {f"figure_run{number}": pictures[order] for number, order in enumerate(orders)}
    for name, stimuli in runs.items():
        values = 300 + 50 * (stimuli @ weights + 0.7 * rng.normal(size=(len(stimuli), mask.sum())))
        values[:, 3] = 300
        volumes = values.T.reshape(*mask.shape, -1).astype(np.float32)
        nibabel.Nifti1Image(volumes, affine).to_filename(folder / "func" / f"data_{name}.nii.gz")
        np.savetxt(folder / "label" / f"data_{name}_label.csv", stimuli.round(4), fmt="%g", delimiter=",")
    return folder


def test_it_runs_where_images_come_again(folder, client):
    shape = (3, 4)
    text = printed(client, folder, stimulus_shape=list(shape), lag=0)
    recording = load_recording(folder, stimulus_shape=shape)
    samples, figures = (load_samples(recording, kind=kind, lag=0) for kind in ("random", "figure"))
    ceiling = noise_ceiling(figures)
    clear = ceiling.r2 > 4 * ceiling.error
    assert "Recording: mine" in text
    assert f"R2 = {cross_validate_ridge(samples, 1.0, 3).mean(axis=0).max():.2f}\n" in text
    assert "images that are shown in more than one of them: 5\n" in text
    assert f"ceilings more than 4 errors above 0: {clear.sum()} of 24\n" in text and 0 < clear.sum() < 17
    rows = ceiling.repeated
    parts = {name: getattr(figures, name)[rows] for name in ("stimuli", "responses", "runs")}
    transfer = score_transfer(samples, dataclasses.replace(figures, **parts), 1.0).mean(axis=0)
    assert f"best voxel, tested on them: R2 = {transfer.max():.2f}\n" in text
    assert "The true ceilings of this recording are not known." in text


def test_it_runs_where_no_ceiling_is_clear(folder, client):
    text = printed(client, folder, stimulus_shape=[3, 4], lag=0, min_errors=1e6)
    assert "ceilings more than 1e+06 errors above 0: 0 of 24\n" in text


def test_no_transfer_is_scored_on_the_runs_that_were_trained_on(folder, client):
    for path in [*folder.glob("func/*figure*"), *folder.glob("label/*figure*")]:
        path.rename(path.with_name(path.name.replace("figure_run", "random_run9")))
    text = printed(client, folder, stimulus_shape=[3, 4], lag=0, repeat_kind="random")
    ceiling = noise_ceiling(load_samples(load_recording(folder, stimulus_shape=(3, 4)), lag=0))
    clear = ceiling.r2 > 4 * ceiling.error
    assert f"ceilings more than 4 errors above 0: {clear.sum()} of 24\n" in text, "the ceiling itself is fine"
    assert "It is skipped" in text and "tested on them" not in text and "share of the ceiling" not in text


def test_it_says_so_where_no_image_comes_again(small_folder, client):
    text = printed(client, small_folder, lag=0, repeat_kind="random")
    assert "Recording: mine" in text and "No image is shown in two of the 4 runs" in text
    assert "the ceiling of this recording is not known" in text
