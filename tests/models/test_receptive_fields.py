"""Receptive fields, against scikit-learn and the truth."""

import copy
import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Lasso, LassoLarsCV, lars_path

from voxelwise import RunKFold, Samples, fit_receptive_fields
from voxelwise.models.batches import one_thread
from voxelwise.models.receptive_fields import walk_receptive_fields
from voxelwise.simulation.cortex import MARKED_COLUMNS

COLUMNS = list(MARKED_COLUMNS)


def scaled_pixels(samples):
    """Pixels of mean 0 and variance 1, or 0 throughout, in float64; and by how much they are scaled."""
    pixels = samples.stimuli.astype(float)
    scale = np.where(np.ptp(pixels, axis=0) > 0, pixels.std(axis=0), 1)
    return (pixels - pixels.mean(axis=0)) / scale, scale


@one_thread  # many small fits: more threads cost more than they bring
def assert_equal_to_scikit_learn(samples, voxels, max_iter=10):
    """Weights of scikit-learn's own path and cross-validation, one voxel after another."""
    pixels, scale = scaled_pixels(samples)
    splits = list(RunKFold(min(5, len(samples.run_rows))).split(groups=samples.runs))
    fields = fit_receptive_fields(samples, voxels, max_iter).reshape(len(voxels), -1)
    for voxel, field in zip(voxels, fields, strict=True):
        model = LassoLarsCV(max_iter=max_iter, cv=splits).fit(pixels, samples.responses[:, voxel].astype(float))
        np.testing.assert_allclose(field * scale, model.coef_, atol=1e-6)


def assert_solve_the_lasso(samples, fields, voxels):
    """Each voxel's weights minimize the lasso's costs at some penalty: that of the best tied pixels."""
    (pixels, scale), y = scaled_pixels(samples), samples.responses[:, voxels].astype(float)
    y, weights = y - y.mean(axis=0), fields.reshape(len(fields), -1)[voxels] * scale
    alphas = np.abs(pixels.T @ (y - pixels @ weights.T)).max(axis=0) / len(pixels)
    assert (alphas > 1e-6).sum() > len(weights) / 4
    for weight, response, alpha in zip(weights, y.T, alphas, strict=True):
        if alpha > 1e-6:
            best = Lasso(alpha, tol=1e-10, max_iter=100_000).fit(pixels, response).coef_
            costs = [np.square(response - pixels @ w).mean() / 2 + alpha * np.abs(w).sum() for w in (weight, best)]
            assert costs[0] <= costs[1] + 1e-9


def test_paths_of_any_length_and_of_all_kinds_of_voxels_equal_scikit_learn(samples, small_samples):
    assert_equal_to_scikit_learn(samples, [*COLUMNS, *range(0, 5438, 500)], 10)
    assert_equal_to_scikit_learn(samples, COLUMNS, 40)
    assert_equal_to_scikit_learn(small_samples, range(20), 60)  # to the end
    dull = copy.deepcopy(small_samples)
    dull.stimuli[:, 6], dull.stimuli[dull.runs > 0, 9] = 0, 1
    dull.responses[:, 12], dull.responses[:, 13] = 0, 3.7
    fields = fit_receptive_fields(dull, range(14)).reshape(14, 16)
    assert fields.any(axis=1).tolist() == [True] * 12 + [False] * 2 and not fields[:, 6].any()
    assert_equal_to_scikit_learn(dull, range(12))


def test_fewer_samples_than_pixels(samples):
    """Some are copies and mixtures, and only coordinate descent can judge; with shades of grey paths are equal."""
    rows = np.concatenate([np.flatnonzero(samples.runs == run)[30:45] for run in range(4)])
    few = dataclasses.replace(samples, responses=samples.responses[:, ::72]).take(rows)
    assert_solve_the_lasso(few, fit_receptive_fields(few), slice(None))
    grey = few.stimuli + np.random.default_rng(0).normal(0, 0.2, few.stimuli.shape)
    assert_equal_to_scikit_learn(dataclasses.replace(few, stimuli=grey), range(20))


@pytest.mark.parametrize("size", [0, 1e-7])
def test_copies_and_mixtures_up_to_rounding_stay_outside(size):
    """Else the weights of a pair of them would be huge, and cancel, or could not be found."""
    rng = np.random.default_rng(1)
    pixels = rng.normal(size=(120, 20))
    pixels[:, 7] = pixels[:, 3] + size * rng.normal(size=120)
    pixels[:, 8] = pixels[:, 4] - pixels[:, 5] + size * rng.normal(size=120)
    responses = pixels @ rng.normal(0, 0.3, (20, 100)) + rng.normal(size=(120, 100))
    some = Samples(pixels, responses, np.repeat(range(4), 30), (20,))
    fields, (pixels, scale) = fit_receptive_fields(some, max_iter=60), scaled_pixels(some)
    assert np.abs(fields * scale).max() < 5
    covariance = pixels.T @ (responses - responses.mean(axis=0) - pixels @ (fields * scale).T)
    tied = covariance * np.sign(fields.T) > np.abs(covariance).max(axis=0) - 1e-4  # what makes it the lasso's solution
    assert tied[fields.T != 0].all()


def test_the_path_is_scikit_learns_and_leads_to_the_field(samples):
    """After each step; the field lies between two of them, by the share that is told."""
    voxels, (pixels, scale) = [*COLUMNS, 5, 2600], scaled_pixels(samples)
    paths, chosen = walk_receptive_fields(samples, voxels)
    for voxel, path in zip(voxels, paths.swapaxes(0, 1), strict=True):
        y = samples.responses[:, voxel].astype(float)
        weights = lars_path(pixels, y - y.mean(), method="lasso", max_iter=10)[2].T / scale
        np.testing.assert_allclose(path.reshape(11, -1), weights, atol=1e-6)
    for voxel, field in enumerate(fit_receptive_fields(samples, voxels)):
        before = int(min(chosen[voxel], 9))
        between = paths[before, voxel] + (chosen[voxel] - before) * (paths[before + 1, voxel] - paths[before, voxel])
        np.testing.assert_allclose(between, field, atol=1e-12)
    for max_iter in (0, 2.5):
        with pytest.raises(ValueError, match=f"max_iter={max_iter!r}: expected a whole number of at least 1"):
            fit_receptive_fields(samples, voxels, max_iter)
