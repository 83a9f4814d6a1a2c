"""Stimuli from patterns: against direct solutions of the same formula, without noise, and without signal."""

import dataclasses

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf
from sklearn.linear_model import Ridge
from sklearn.metrics import f1_score, precision_score, recall_score

import voxelwise as vw
from tests.decoding.test_identification import make_trials
from tests.plain import predict_folds, run_folds
from voxelwise import PatternModel, fit_patterns, reconstruct, score_pixels


def make_model(rng, n_pixels=12, n_voxels=30):
    """Weights, means and a full noise covariance; pixels are expected at 0.45, with a variance of 0.2."""
    noise = np.cov(rng.normal(size=(n_voxels, 2 * n_voxels)))
    weights, means = rng.normal(size=(n_pixels, n_voxels)), (rng.random(n_pixels), rng.normal(size=n_voxels))
    return PatternModel(rng.permutation(n_voxels), weights, *means, noise, 0.45, 0.2)


def as_trials(patterns, model):
    """Trials with these patterns; of the stimuli only the size is right."""
    responses = np.empty(patterns.shape)
    responses[:, model.voxels] = patterns
    return vw.Samples.from_arrays(np.zeros((len(patterns), len(model.weights))), responses, np.zeros(len(patterns)))


def test_it_is_the_least_of_the_sum_of_squares():
    """Noise whitened by a Cholesky factor, the prior as further rows, one least squares problem a trial."""
    rng = np.random.default_rng(0)
    model = make_model(rng)
    trials = as_trials(rng.normal(size=(5, 30)), model)
    whiten = np.linalg.inv(np.linalg.cholesky(model.noise))
    sd = np.sqrt(model.pixel_variance)
    rows, at_0 = np.vstack([whiten @ model.weights.T, np.eye(12) / sd]), model.predict(np.zeros(12))
    for pattern, stimulus in zip(trials.responses[:, model.voxels], reconstruct(trials, model), strict=True):
        goal = np.concatenate([whiten @ (pattern - at_0), np.full(12, model.pixel_mean / sd)])
        np.testing.assert_allclose(stimulus, np.linalg.lstsq(rows, goal)[0], atol=1e-8)


def test_without_noise_the_stimuli_come_back_and_without_signal_the_prior_mean():
    rng = np.random.default_rng(0)
    trials = make_trials(rng, n_voxels=60)
    trials = dataclasses.replace(trials, responses=np.float32(trials.stimuli @ rng.normal(size=(16, 60)) + 3))
    drawn = reconstruct(trials, vw.fit_without_each_fold(trials, 60, 1e-6, 3))
    np.testing.assert_allclose(drawn, trials.stimuli, atol=1e-3)
    assert score_pixels(trials.stimuli, drawn) == dict(accuracy=1, precision=1, recall=1, f1=1)

    model = make_model(rng)
    trials = as_trials(rng.normal(size=(5, 30)), model)
    for change in (dict(weights=np.zeros_like(model.weights)), dict(noise=1e9 * model.noise)):
        np.testing.assert_allclose(reconstruct(trials, dataclasses.replace(model, **change)), 0.45, atol=1e-3)


def test_weights_and_noise_are_those_of_scikit_learn():
    """Ridge, and the shrunk covariance of what it leaves of runs that it has not seen."""
    trials, voxels = make_trials(np.random.default_rng(0), signal=0.5), np.arange(5, 200, 3)
    model = fit_patterns(trials, voxels, 7.0, 3)
    x, y = trials.stimuli.astype(float), trials.responses[:, voxels].astype(float)
    ridge = Ridge(7.0).fit(x, y)
    np.testing.assert_allclose(model.weights, ridge.coef_.T, atol=1e-6)
    np.testing.assert_allclose(model.predict(x[:9]), ridge.predict(x[:9]), atol=1e-6)
    left = y - predict_folds(x, y, run_folds(trials.runs, 3), 7.0)
    np.testing.assert_allclose(model.noise, LedoitWolf().fit(left).covariance_, atol=1e-5)
    assert model.pixel_mean == pytest.approx(x.mean()) and model.pixel_variance == pytest.approx(x.var())


def test_pixel_scores_by_hand_and_by_pixel():
    seen = np.array([[1, 1, 0, 0], [0, 1, 0, 0]])
    drawn = np.array([[0.9, 0.2, 0.5, 0.6], [0.5, 1.7, 0.1, 0.4]])  # 2 hits, 1 miss, 1 false alarm, 4 correct blacks
    assert score_pixels(seen, drawn) == pytest.approx(dict(accuracy=6 / 8, precision=2 / 3, recall=2 / 3, f1=2 / 3))
    lower = score_pixels(seen, drawn, threshold=0.15)
    assert lower["recall"] == 1 and lower["precision"] == pytest.approx(3 / 7)
    assert score_pixels(seen, np.zeros(seen.shape)) == dict(accuracy=5 / 8, precision=0, recall=0, f1=0)

    rng = np.random.default_rng(0)
    seen, drawn = rng.random((40, 9)) > 0.7, rng.random((40, 9))
    seen[:, 2] = False  # a pixel that is always black
    found = score_pixels(seen, drawn, average="macro")
    for name, score in dict(precision=precision_score, recall=recall_score, f1=f1_score).items():
        by_pixel = [score(seen[:, i], drawn[:, i] > 0.5, zero_division=0) for i in range(9)]
        assert found[name] == pytest.approx(np.mean(by_pixel)), "as in nilearn's example"
    assert found["accuracy"] == score_pixels(seen, drawn)["accuracy"]
