"""The acceptance test, by ``make test-real``: the book finds on the real recording what others published of it."""

import nbformat
import numpy as np
import pytest

from tests.notebooks import CHAPTERS
from tests.pages.running import printed_in
from tools.press.chapters import run_chapter
from voxelwise import cross_validate_ridge, fit_receptive_fields, load_recording, load_samples, voxel_at
from voxelwise.data.download import find_recording

pytestmark = pytest.mark.skipif(find_recording() is None, reason="`make book DATASET=miyawaki2008` downloads it")

BEST = [1951, 2272, 1780, 2284, 2282, 1411, 1424, 2120, 1573, 1588]
BEST_SCORES = [0.60, 0.60, 0.60, 0.58, 0.56, 0.56, 0.56, 0.55, 0.55, 0.55]
HISTOGRAM = [4190, 430, 240, 200, 145, 100, 70, 70, 35, 15]  # max(R2, 0), bins of 0.06, read off a plot
#: The two strongest pixels of the field of the voxels that the published figures mark.
MARKED = {
    (30, 10, 10): {(4, 2): 0.62, (4, 1): 0.20},
    (31, 10, 10): {(3, 2): 0.28, (4, 2): 0.30},
    (32, 10, 10): {(3, 2): 0.32, (3, 3): 0.42},
    (31, 9, 10): {(4, 2): 0.42, (4, 3): 0.38},
}


@pytest.fixture(scope="module")
def samples():
    return load_samples(load_recording("miyawaki2008"))


def test_the_scores(samples):
    assert (samples.stimuli.shape, samples.responses.shape) == ((2860, 100), (2860, 5438))
    scores = cross_validate_ridge(samples).mean(axis=0)
    assert set(np.argsort(scores)[-10:]) == set(BEST)
    np.testing.assert_allclose(scores[BEST], BEST_SCORES, atol=0.007)
    found, _ = np.histogram(np.maximum(scores, 0), [*np.arange(10) * 0.06, 1])  # the last bin ends at the best score
    np.testing.assert_allclose(found, HISTOGRAM, rtol=0.1, atol=10)


def test_the_strongest_pixels_of_the_marked_fields(samples):
    columns = [voxel_at(samples.mask_img, position) for position in MARKED]
    for weights, field in zip(MARKED.values(), fit_receptive_fields(samples, columns), strict=True):
        strongest = {tuple(map(int, np.unravel_index(at, field.shape))) for at in np.argsort(field, axis=None)[-2:]}
        assert strongest == set(weights)
        # Old scikit-learn scaled the pixels fold by fold, so the choice of the penalty may differ a little.
        assert [field[pixel] for pixel in weights] == pytest.approx(list(weights.values()), abs=0.1)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_every_chapter_runs(chapter, tmp_path):
    run_chapter(chapter, {"dataset": "miyawaki2008"}, tmp_path / chapter.name)
    assert "Recording: simulated" not in printed_in(nbformat.read(tmp_path / chapter.name, as_version=4))
