"""Images from patterns: against direct solutions of the same formula, without noise, and with nothing but noise."""

import dataclasses

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, precision_score, recall_score

from tests.decoding.test_identification import make_blocks, make_samples
from voxelwise import (
    PatternModel,
    RunKFold,
    average_trials,
    best_voxels,
    fit_patterns,
    fit_without_each_fold,
    reconstruct,
    score_pixels,
)


def make_model(rng, n_pixels=12, n_voxels=30):
    """Weights, means and a full noise covariance."""
    root = rng.normal(size=(n_voxels, n_voxels))
    return PatternModel(
        voxels=rng.permutation(n_voxels),
        weights=rng.normal(size=(n_pixels, n_voxels)),
        mean_stimulus=rng.random(n_pixels),
        mean_pattern=rng.normal(size=n_voxels),
        noise=root @ root.T / n_voxels + 0.5 * np.eye(n_voxels),
        pixel_mean=0.45,
        pixel_variance=0.2,
    )


def as_blocks(patterns, model):
    """Blocks with these patterns; of the images only the size is right."""
    responses = np.empty(patterns.shape)
    responses[:, model.voxels] = patterns
    return make_samples(np.zeros((len(patterns), len(model.weights))), responses, np.zeros(len(patterns)))


def test_it_is_the_least_of_the_sum_of_squares():
    """Noise whitened by a Cholesky factor, the prior as further rows, one least squares problem a block."""
    rng = np.random.default_rng(0)
    model = make_model(rng)
    blocks = as_blocks(rng.normal(size=(5, 30)), model)
    whiten = np.linalg.inv(np.linalg.cholesky(model.noise))
    sd = np.sqrt(model.pixel_variance)
    rows = np.vstack([whiten @ model.weights.T, np.eye(12) / sd])
    for pattern, image in zip(blocks.responses[:, model.voxels], reconstruct(blocks, model), strict=True):
        off = pattern - model.mean_pattern + model.mean_stimulus @ model.weights
        goal = np.concatenate([whiten @ off, np.full(12, model.pixel_mean / sd)])
        np.testing.assert_allclose(image, np.linalg.lstsq(rows, goal)[0], atol=1e-8)


def test_one_pixel_and_one_voxel():
    """A mean of two, weighted by how sure they are."""
    w, b, s, mu, v = 2.0, 0.3, 0.7, 0.5, 0.25
    model = PatternModel(*map(np.array, ([0], [[w]], [0.0], [b], [[s]])), mu, v)
    y = np.float32([[-1.0], [0.3], [2.5]])
    expected = (mu / v + w * (y - b) / s) / (1 / v + w**2 / s)
    np.testing.assert_allclose(reconstruct(as_blocks(y, model), model), expected, rtol=1e-6)


def test_without_noise_the_images_come_back():
    rng = np.random.default_rng(0)
    blocks = make_blocks(rng, n_voxels=60)
    blocks = dataclasses.replace(blocks, responses=np.float32(blocks.stimuli @ rng.normal(size=(16, 60)) + 3))
    images = reconstruct(blocks, fit_without_each_fold(blocks, 60, alpha=1e-6, cv=3))
    np.testing.assert_allclose(images, blocks.stimuli, atol=1e-3)
    assert score_pixels(blocks.stimuli, images) == dict(accuracy=1, precision=1, recall=1, f1=1)


def test_without_signal_the_prior_mean_comes_back():
    rng = np.random.default_rng(0)
    model = make_model(rng)
    blocks = as_blocks(rng.normal(size=(5, 30)), model)
    deaf = dataclasses.replace(model, weights=np.zeros_like(model.weights))
    np.testing.assert_allclose(reconstruct(blocks, deaf), 0.45)
    drowned = dataclasses.replace(model, noise=1e9 * model.noise)
    np.testing.assert_allclose(reconstruct(blocks, drowned), 0.45, atol=1e-3)


def test_the_images_on_the_screen_are_not_looked_at():
    blocks = make_blocks(np.random.default_rng(0), signal=1.0, n_voxels=40)
    model = fit_patterns(blocks, np.arange(40))
    blind = dataclasses.replace(blocks, stimuli=1 - blocks.stimuli)
    np.testing.assert_array_equal(reconstruct(blind, model), reconstruct(blocks, model))


def test_weights_and_noise_are_those_of_scikit_learn():
    """Ridge, and the shrunk covariance of what it leaves of runs that it has not seen."""
    blocks = make_blocks(np.random.default_rng(0), signal=0.5)
    voxels = np.arange(5, 200, 3)
    model = fit_patterns(blocks, voxels, alpha=7.0, cv=3)
    x, y = blocks.stimuli.astype(float), blocks.responses[:, voxels].astype(float)
    ridge = Ridge(7.0).fit(x, y)
    np.testing.assert_allclose(model.weights, ridge.coef_.T, atol=1e-6)
    np.testing.assert_allclose(model.predict(x[:9]), ridge.predict(x[:9]), atol=1e-6)
    left = y.copy()
    for _, rows in RunKFold(3).split(groups=blocks.runs):
        train = np.setdiff1d(np.arange(len(x)), rows)
        left[rows] -= Ridge(7.0).fit(x[train], y[train]).predict(x[rows])
    np.testing.assert_allclose(model.noise, LedoitWolf().fit(left).covariance_, atol=1e-5)
    assert model.pixel_mean == pytest.approx(x.mean()) and model.pixel_variance == pytest.approx(x.var())


def test_noise_of_unequal_voxels_is_known():
    """The noise that was put in, voxel by voxel, of data with signal: not what the model explains."""
    rng = np.random.default_rng(0)
    sd = np.repeat([0.5, 1.0, 2.0], 10)
    blocks = make_blocks(rng, n_runs=10, n_per_run=60, n_voxels=30)
    signal = blocks.stimuli @ rng.normal(size=(16, 30))
    blocks = dataclasses.replace(blocks, responses=np.float32(signal + sd * blocks.responses))
    model = fit_patterns(blocks, np.arange(30), alpha=1.0)
    np.testing.assert_allclose(np.sqrt(np.diag(model.noise)), sd, rtol=0.25)


def accuracies_on_noise(models_of, n_seeds=10):
    """Mean pixel accuracy over recordings of nothing but noise."""
    found = []
    for seed in range(n_seeds):
        blocks = make_blocks(np.random.default_rng(seed))
        found.append(score_pixels(blocks.stimuli, reconstruct(blocks, models_of(blocks)))["accuracy"])
    return np.mean(found)


def test_noise_is_reconstructed_at_chance():
    """1200 blocks of 16 pixels, within four standard deviations."""
    accuracy = accuracies_on_noise(lambda blocks: fit_without_each_fold(blocks, 40, alpha=10.0, cv=6))
    assert accuracy == pytest.approx(0.5, abs=4 * 0.5 / np.sqrt(1200 * 16))


def test_a_leak_would_reconstruct_noise():
    """Test runs among the training runs; and voxels chosen on them."""
    assert accuracies_on_noise(lambda blocks: fit_patterns(blocks, np.arange(40), 10.0, 6)) > 0.55

    def choose_on_all(blocks):
        voxels = best_voxels(blocks, 40, alpha=10.0, cv=6)
        models = fit_without_each_fold(blocks, 40, alpha=10.0, cv=6)
        kept = [np.setdiff1d(np.arange(len(blocks.runs)), rows) for rows, _ in models]
        trains = [make_samples(blocks.stimuli[k], blocks.responses[k], blocks.runs[k]) for k in kept]
        return [(rows, fit_patterns(train, voxels, 10.0, 6)) for (rows, _), train in zip(models, trains, strict=True)]

    assert accuracies_on_noise(choose_on_all) > 0.52


def test_pixel_scores_by_hand():
    seen = np.array([[1, 1, 0, 0], [0, 1, 0, 0]])
    images = np.array([[0.9, 0.2, 0.6, -3], [0.5, 1.7, 0.1, 0.4]])  # 2 hits, 1 miss, 1 false alarm, 4 correct blacks
    assert score_pixels(seen, images) == pytest.approx(dict(accuracy=6 / 8, precision=2 / 3, recall=2 / 3, f1=2 / 3))
    lower = score_pixels(seen, images, threshold=0.15)
    assert lower["recall"] == 1 and lower["precision"] == pytest.approx(3 / 6)
    black = score_pixels(seen, np.zeros(seen.shape))
    assert black == dict(accuracy=5 / 8, precision=0, recall=0, f1=0)


def test_scores_by_pixel_are_those_of_nilearns_example():
    rng = np.random.default_rng(0)
    seen, images = rng.random((40, 9)) > 0.7, rng.random((40, 9))
    seen[:, 2] = False  # a pixel that is always black
    found = score_pixels(seen, images, average="macro")
    for name, score in dict(precision=precision_score, recall=recall_score, f1=f1_score).items():
        by_pixel = [score(seen[:, i], images[:, i] > 0.5, zero_division=0) for i in range(9)]
        assert found[name] == pytest.approx(np.mean(by_pixel))
    assert found["accuracy"] == score_pixels(seen, images)["accuracy"]


def test_simulated_recording(samples, figures):
    """Shapes and letters come back, with a model that knows only random images."""
    blocks, figures = average_trials(samples), average_trials(figures)
    model = fit_patterns(blocks, best_voxels(blocks))
    assert (model.pixel_mean, model.pixel_variance) == pytest.approx((0.5, 0.25), abs=0.01)
    images = reconstruct(figures, model)
    assert score_pixels(figures.stimuli, images)["f1"] > 0.5
    centre = np.zeros((10, 10), bool)
    centre[3:7, 3:7] = True
    near, far = (
        np.corrcoef(figures.stimuli[:, pixels].ravel(), images[:, pixels].ravel())[0, 1]
        for pixels in (centre.ravel(), ~centre.ravel())
    )
    assert near > 0.7 and 0.1 < far < 0.4, "voxels look at the centre"
