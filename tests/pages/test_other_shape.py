"""Recordings that are unlike the book's in every way, through all chapters."""

import nibabel
import numpy as np
import pytest

from tests.notebooks import CHAPTERS
from tests.pages.running import printed_in, read_chapter, run_chapter

SETTINGS = dict(stimulus_shape=[9, 7], lag=1, alpha=1.0, n_splits=3)


def write_runs(folder, kind, runs, weights, mask, rng):
    """Write runs of a kind, whose voxels answer to what was on the screen one volume before."""
    for number, stimuli in enumerate(runs, start=1):
        noise = 0.3 * rng.normal(size=(len(stimuli), len(weights.T)))
        responses = 500 + 100 * (np.vstack([0 * weights[:1], stimuli[:-1] @ weights]) + noise)
        responses[:, 7] = 500  # a voxel that never changes
        volumes = np.full((*mask.shape, len(stimuli)), 500, dtype=np.int16)
        volumes[mask > 0] = responses.T
        affine = np.array([[0, 0, 2.5, -30], [-2.0, 0, 0, 20], [0, 2.0, 0, -15], [0, 0, 0, 1]])  # axes in another order
        name = f"data_{kind}_run{number}"
        nibabel.Nifti1Image(volumes, affine).to_filename(folder / "func" / f"{name}.nii.gz")
        nibabel.Nifti1Image(mask, affine).to_filename(folder / "mask" / "mask.nii.gz")
        np.savetxt(folder / "label" / f"{name}_label.csv", stimuli, fmt="%g", delimiter=",")


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """9 x 7 pixels of grey, 3 runs of different length, 24 x 20 x 12 voxels, no background, regions, rest or truth.

    In "repeated", two more runs show five stimuli six times each.
    """
    folders = {name: tmp_path_factory.mktemp("data") / name for name in ("grey", "repeated")}
    for name, folder in folders.items():
        rng = np.random.default_rng(1)
        for part in ("func", "label", "mask"):
            (folder / part).mkdir(parents=True)
        mask = np.zeros((24, 20, 12), dtype=np.uint8)
        mask[8:14, 5:12, 3:9] = 1
        weights = rng.normal(size=(63, mask.sum())) * (rng.random((63, mask.sum())) < 0.05)
        runs = [rng.random((n_volumes, 63)).round(3) for n_volumes in (60, 90, 75)]
        write_runs(folder, "random", runs, weights, mask, rng)
        if name == "repeated":
            stimuli = rng.random((5, 63)).round(3)
            orders = [rng.permutation(np.repeat(np.arange(5), 6)) for _ in range(2)]
            write_runs(folder, "figure", [stimuli[order] for order in orders], weights, mask, rng)
    return folders


#: Without other kinds of run each chapter, and with them those that look at them.
CASES = [(chapter, "grey") for chapter in CHAPTERS]
CASES += [(chapter, "repeated") for chapter in CHAPTERS if r"\"figure\"" in chapter.read_text(encoding="utf-8")]


@pytest.mark.parametrize("chapter, name", CASES, ids=lambda value: getattr(value, "stem", value))
def test_each_chapter_runs(chapter, name, folders, client):
    """No run 3 of 145 volumes, no slice 10, no background, no regions, no rest, no truth: other examples are found."""
    notebook = read_chapter(chapter)
    settings = SETTINGS | dict(dataset=str(folders[name]))
    text = run_chapter(client, notebook, settings, shown=("text/plain", "text/html"))
    if "Recording: " in printed_in(notebook):
        assert f"Recording: {name}\n" in text
