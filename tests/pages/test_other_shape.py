"""Recordings that are unlike the book's in every way, through all chapters."""

import re

import nibabel
import numpy as np
import pytest

from tests.notebooks import CHAPTERS
from tests.pages.running import read_chapter, run_chapter

SETTINGS = dict(stimulus_shape=[9, 7], lag=1, alpha=1.0, n_splits=3)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """9 x 7 pixels of grey, 3 runs of different length, 24 x 20 x 12 voxels, no background, regions, rest or truth.

    Voxels answer to what was on the screen one volume before. In "repeated", two more runs show five stimuli six times.
    """
    rng, affine = np.random.default_rng(1), np.array([[0, 0, 2.5, -30], [-2.0, 0, 0, 20], [0, 2, 0, -15], [0, 0, 0, 1]])
    mask = np.zeros((24, 20, 12), dtype=np.uint8)  # axes in another order
    mask[8:14, 5:12, 3:9] = 1
    weights = rng.normal(size=(63, mask.sum())) * (rng.random((63, mask.sum())) < 0.05)
    runs = {f"random_run{n}": rng.random((n_volumes, 63)).round(3) for n, n_volumes in enumerate((60, 90, 75), start=1)}
    few = rng.random((5, 63)).round(3)
    repeats = {f"figure_run{n}": few[rng.permutation(np.repeat(np.arange(5), 6))] for n in (1, 2)}
    folders = {name: tmp_path_factory.mktemp("data") / name for name in ("grey", "repeated")}
    for folder, shown in zip(folders.values(), (runs, runs | repeats), strict=True):
        for part in ("func", "label", "mask"):
            (folder / part).mkdir(parents=True)
        nibabel.Nifti1Image(mask, affine).to_filename(folder / "mask" / "mask.nii.gz")
        for name, stimuli in shown.items():
            noise = 0.3 * rng.normal(size=(len(stimuli), len(weights.T)))
            responses = 500 + 100 * (np.vstack([0 * weights[:1], stimuli[:-1] @ weights]) + noise)
            responses[:, 7] = 500  # a voxel that never changes
            volumes = np.full((*mask.shape, len(stimuli)), 500, dtype=np.int16)
            volumes[mask > 0] = responses.T
            nibabel.Nifti1Image(volumes, affine).to_filename(folder / "func" / f"data_{name}.nii.gz")
            np.savetxt(folder / "label" / f"data_{name}_label.csv", stimuli, fmt="%g", delimiter=",")
    return folders


#: From here on, a chapter shows what it shows of the book's recording.
STANDS_IN = re.compile("The simulated one stands in")
#: Without other kinds of run each chapter, and with them those that look at them.
OTHERS = [path for path in CHAPTERS if re.search(r'\\"figure\\"|find_repeats', path.read_text(encoding="utf-8"))]
CASES = [(path, "grey") for path in CHAPTERS] + [(path, "repeated") for path in OTHERS]


@pytest.mark.parametrize("chapter, name", CASES, ids=lambda value: getattr(value, "stem", value))
def test_each_chapter_runs(chapter, name, folders, client):
    """No run 3 of 145 volumes, no slice 10, no background, no regions, no rest, no truth: other examples are found."""
    text = run_chapter(client, read_chapter(chapter), SETTINGS | dict(dataset=str(folders[name])), STANDS_IN)
    assert f"Recording: {name}\n" in text
