"""Real responses of visual cortex, where they are at hand; they are not part of this repository."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import LeaveOneGroupOut

from tests.models.test_receptive_fields import assert_solve_the_lasso, scaled_pixels
from voxelwise import RunKFold, cross_validate_ridge, load_recording, load_samples
from voxelwise.models.lasso import fit_lasso

FOLDER = os.environ.get("VOXELWISE_REAL_RESPONSES", "")

pytestmark = pytest.mark.skipif(
    not Path(FOLDER, "func").is_dir(),
    reason="set VOXELWISE_REAL_RESPONSES to a folder with real responses (func/, label/, mask/)",
)


@pytest.mark.parametrize("max_iter", [10, 50])
def test_fields_of_all_voxels_solve_the_lasso(max_iter):
    """Ten images repeat, so pixels are copies and mixtures of each other: no error, and no huge weights that cancel."""
    samples = load_samples(load_recording(FOLDER), lag=0)
    pixels = scaled_pixels(samples)
    weights, _ = fit_lasso(samples.responses, pixels, [test for _, test in RunKFold(5).split(groups=samples.runs)], max_iter)
    assert np.abs(weights).max() < 2
    assert_solve_the_lasso(weights[::5], pixels, samples.responses[:, ::5].astype(float))


@pytest.mark.parametrize(("alpha", "best", "above", "median"), [(10, 0.830, 529, 0.154), (100, 0.570, 527, 0.136)])
def test_scores_are_those_of_the_plain_loop(alpha, best, above, median):
    samples = load_samples(load_recording(FOLDER), lag=0)
    scores = cross_validate_ridge(samples, alpha, cv=8)
    expected = []
    for train, test in LeaveOneGroupOut().split(samples.stimuli, groups=samples.runs):
        model = Ridge(alpha).fit(samples.stimuli[train], samples.responses[train])
        predicted = model.predict(samples.stimuli[test])
        expected.append(r2_score(samples.responses[test], predicted, multioutput="raw_values"))
    np.testing.assert_allclose(scores, expected, atol=1e-4)
    mean = scores.mean(axis=0)
    assert (round(mean.max(), 3), (mean > 0.1).sum(), round(np.median(mean), 3)) == (best, above, median)
