"""Receptive fields, against scikit-learn and the truth."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LassoLarsCV, lars_path

from voxelwise import RunKFold, fit_receptive_fields
from voxelwise.models.batches import one_thread
from voxelwise.models.lasso import fit_lasso
from voxelwise.models.receptive_fields import walk_receptive_fields
from voxelwise.simulation.cortex import MARKED_COLUMNS

COLUMNS = list(MARKED_COLUMNS)


def scaled_pixels(samples):
    """Pixels of mean 0 and variance 1, or 0 throughout; in float64."""
    pixels = samples.stimuli.astype(float)
    deviation = pixels.std(axis=0)
    return (pixels - pixels.mean(axis=0)) / np.where(deviation > 0, deviation, 1)


@one_thread  # many small fits: more threads cost more than they bring
def assert_equal_to_scikit_learn(samples, voxels, max_iter=10, n_splits=5):
    """Weights and penalties of scikit-learn's own path and cross-validation, one voxel after another."""
    pixels, splits = scaled_pixels(samples), list(RunKFold(n_splits).split(groups=samples.runs))
    weights, alphas = fit_lasso(samples.responses[:, voxels], pixels, [rows for _, rows in splits], max_iter)
    for voxel, weight, alpha in zip(voxels, weights, alphas, strict=True):
        model = LassoLarsCV(max_iter=max_iter, cv=splits).fit(pixels, samples.responses[:, voxel].astype(float))
        np.testing.assert_allclose(weight, model.coef_, atol=1e-6)
        # Below the last knot of all folds' paths the error stays the same, and rounding decides between the penalties.
        if np.ptp(model.mse_path_.mean(axis=1)[model.cv_alphas_ <= max(alpha, model.alpha_)]) > 1e-12:
            np.testing.assert_allclose(alpha, model.alpha_, atol=1e-6)


def assert_solve_the_lasso(weights, pixels, responses):
    """Each voxel's weights minimize the lasso's costs at some penalty: that of the best tied pixels."""
    residual = responses - responses.mean(axis=0) - pixels @ weights.T
    alphas = np.abs(pixels.T @ residual).max(axis=0) / len(pixels)
    assert (alphas > 1e-6).sum() > len(weights) / 4
    for weight, response, alpha in zip(weights, responses.T, alphas, strict=True):
        if alpha > 1e-6:
            other = Lasso(alpha, tol=1e-10, max_iter=100_000).fit(pixels, response)
            costs = [
                np.sum((response - response.mean() - pixels @ w) ** 2) / 2 / len(response) + alpha * np.abs(w).sum()
                for w in (weight, other.coef_)
            ]
            assert costs[0] <= costs[1] + 1e-9


@pytest.mark.parametrize(("voxels", "max_iter"), [([*COLUMNS, *range(0, 5438, 120)], 10), (COLUMNS, 1), (COLUMNS, 40)])
def test_short_and_long_paths_of_all_kinds_of_voxels_equal_scikit_learn(samples, voxels, max_iter):
    """Silent voxels among them; along 40 steps some pixels drop out again."""
    assert_equal_to_scikit_learn(samples, voxels, max_iter)


@pytest.mark.parametrize("max_iter", [10, 60])
def test_paths_to_the_end_equal_scikit_learn(small_samples, max_iter):
    """16 pixels: the path ends with all of them, at no penalty."""
    assert_equal_to_scikit_learn(small_samples, range(20), max_iter, n_splits=4)


def test_a_dull_pixel_gets_no_weight(small_samples):
    """Always dull, or in all runs but one: where that one is left out, the pixel does not vary either."""
    stimuli = small_samples.stimuli.copy()
    stimuli[:, 6], stimuli[small_samples.runs > 0, 9] = 0, 1
    dull = dataclasses.replace(small_samples, stimuli=stimuli)
    fields = fit_receptive_fields(dull).reshape(-1, 16)
    assert np.isfinite(fields).all() and fields.any(axis=1).all() and not fields[:, 6].any()
    assert_equal_to_scikit_learn(dull, range(12), n_splits=4)


def test_a_dull_voxel_gets_no_field(small_samples):
    """scikit-learn ends with an error there."""
    responses = small_samples.responses.copy()
    responses[:, 1], responses[:, 2] = 0, 3.7
    fields = fit_receptive_fields(dataclasses.replace(small_samples, responses=responses), [0, 1, 2])
    assert fields.any(axis=(1, 2)).tolist() == [True, False, False]


def test_fewer_samples_than_pixels(samples):
    """Four runs of 15 samples, 100 pixels.

    So few black and white stimuli make some pixels copies and mixtures of others. There scikit-learn's path can leave
    the solution, so that its coordinate descent has to judge; with shades of grey nothing is tied: equal paths.
    """
    rows = np.concatenate([np.flatnonzero(samples.runs == run)[30:45] for run in range(4)])
    few = dataclasses.replace(samples, responses=samples.responses[:, ::36]).take(rows)
    pixels = scaled_pixels(few)
    weights, _ = fit_lasso(few.responses, pixels, np.array_split(np.arange(60), 4), 10)
    assert_solve_the_lasso(weights, pixels, few.responses.astype(float))
    grey = few.stimuli + np.random.default_rng(0).normal(0, 0.2, few.stimuli.shape)
    assert_equal_to_scikit_learn(dataclasses.replace(few, stimuli=grey), range(20), n_splits=4)


@pytest.mark.parametrize("size", [0, 1e-8, 1e-6])
def test_copies_and_mixtures_up_to_rounding_stay_outside(size):
    """Else the weights of a pair of them would be huge, and cancel, or could not be found."""
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(120, 20))
    pixels[:, 7] = pixels[:, 3] + size * rng.normal(size=120)
    pixels[:, 8] = pixels[:, 4] - pixels[:, 5] + size * rng.normal(size=120)
    pixels = (pixels - pixels.mean(axis=0)) / pixels.std(axis=0)
    responses = pixels @ rng.normal(0, 0.3, (20, 100)) + rng.normal(size=(120, 100))
    weights, _ = fit_lasso(responses, pixels, np.array_split(np.arange(120), 4), 60)
    assert np.abs(weights).max() < 5
    covariance = pixels.T @ (responses - responses.mean(axis=0) - pixels @ weights.T)
    tied = covariance * np.sign(weights.T) > np.abs(covariance).max(axis=0) - 1e-4  # what makes it the lasso's solution
    assert tied[weights.T != 0].all()


@pytest.mark.parametrize("max_iter", [0, -3, 2.5, "ten", None])
def test_a_path_has_a_whole_number_of_steps(small_samples, max_iter):
    with pytest.raises(ValueError, match=f"max_iter={max_iter!r}: expected a whole number of at least 1"):
        fit_receptive_fields(small_samples, [0], max_iter)


def test_the_path_is_scikit_learns_and_leads_to_the_field(samples):
    """After each step; the field lies between two of them, by the share that is told."""
    voxels, pixels, scale = [*COLUMNS, 5, 2600], scaled_pixels(samples), samples.stimuli.std(axis=0, dtype=float)
    paths, chosen = walk_receptive_fields(samples, voxels)
    for voxel, path in zip(voxels, paths.swapaxes(0, 1), strict=True):
        y = samples.responses[:, voxel].astype(float)
        weights = lars_path(pixels, y - y.mean(), method="lasso", max_iter=10)[2].T / scale
        np.testing.assert_allclose(path.reshape(11, -1), weights, atol=1e-6)
    for voxel, field in enumerate(fit_receptive_fields(samples, voxels)):
        before = int(min(chosen[voxel], 9))
        between = paths[before, voxel] + (chosen[voxel] - before) * (paths[before + 1, voxel] - paths[before, voxel])
        np.testing.assert_allclose(between, field, atol=1e-12)
