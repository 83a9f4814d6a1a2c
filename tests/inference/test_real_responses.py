"""Real responses of visual cortex, where they are at hand; they are not part of this repository."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from tests.models.test_receptive_fields import assert_solve_the_lasso, scaled_pixels
from tests.plain import plain_loop
from voxelwise import RunKFold, cross_validate_ridge, load_recording, load_samples
from voxelwise.models.lasso import fit_lasso

FOLDER = os.environ.get("VOXELWISE_REAL_RESPONSES", "")


@pytest.fixture(scope="module")
def samples():
    if not Path(FOLDER, "func").is_dir():
        pytest.skip("set VOXELWISE_REAL_RESPONSES to a folder with real responses (func/, label/, mask/)")
    return load_samples(load_recording(FOLDER), lag=0)


@pytest.mark.parametrize("max_iter", [10, 50])
def test_fields_of_all_voxels_solve_the_lasso(samples, max_iter):
    """Ten stimuli repeat, so pixels are copies and mixtures of each other: no error, no huge weights that cancel."""
    pixels = scaled_pixels(samples)
    folds = [rows for _, rows in RunKFold(5).split(groups=samples.runs)]
    weights, _ = fit_lasso(samples.responses, pixels, folds, max_iter)
    assert np.abs(weights).max() < 2
    assert_solve_the_lasso(weights[::5], pixels, samples.responses[:, ::5].astype(float))


@pytest.mark.parametrize("alpha", [10, 100])
def test_scores_are_those_of_the_plain_loop(samples, alpha):
    expected, _ = plain_loop(samples, Ridge(alpha), RunKFold(8))
    np.testing.assert_allclose(cross_validate_ridge(samples, alpha, 8), expected, atol=1e-4)
