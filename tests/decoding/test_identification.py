"""Telling which image was on the screen: the ranks, the accuracy that follows from them, and what would leak."""

import dataclasses
import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from voxelwise import (
    Identification,
    RecordingError,
    RunKFold,
    Samples,
    average_trials,
    best_voxels,
    fit_patterns,
    fit_without_each_fold,
    identify,
)


def make_samples(stimuli, responses, runs):
    return Samples(np.float32(stimuli), np.float32(responses), np.asarray(runs), (1, np.shape(stimuli)[1]), None)


def make_blocks(rng, signal=0.0, n_runs=6, n_per_run=20, n_pixels=16, n_voxels=400):
    """Black and white images, and voxels that each weigh a few pixels, times ``signal``, plus unit noise."""
    runs = np.repeat(np.arange(n_runs), n_per_run)
    stimuli = rng.integers(0, 2, (len(runs), n_pixels))
    weights = rng.normal(size=(n_pixels, n_voxels)) * (rng.random((n_pixels, n_voxels)) < 0.2)
    return make_samples(stimuli, signal * stimuli @ weights + rng.normal(size=(len(runs), n_voxels)), runs)


def rows_of(blocks, rows):
    return dataclasses.replace(
        blocks, stimuli=blocks.stimuli[rows], responses=blocks.responses[rows], runs=blocks.runs[rows]
    )


def others(blocks, rows):
    return rows_of(blocks, np.setdiff1d(np.arange(len(blocks.runs)), rows))


def test_a_block_is_one_image_in_one_run():
    """Rest is left out; the same image again is a block of its own after rest, and in the next run."""
    a, b, rest = [0, 1], [1, 0], [-1, -1]
    images = [rest, a, a, b, rest, b, b, b, a, a, a, rest]
    runs = [0] * 9 + [1] * 3
    blocks = average_trials(make_samples(images, np.arange(12.0)[:, np.newaxis] ** 2, runs))
    np.testing.assert_array_equal(blocks.stimuli, [a, b, b, a, a])
    np.testing.assert_allclose(blocks.responses[:, 0], [2.5, 9, (25 + 36 + 49) / 3, 64, (81 + 100) / 2])
    np.testing.assert_array_equal(blocks.runs, [0, 0, 0, 0, 1])


def test_the_random_runs_have_a_block_for_each_image(samples):
    """As many as were shown, each once; the mean of its three volumes."""
    blocks = average_trials(samples)
    assert blocks.stimuli.shape == (440, 100) and len(np.unique(blocks.stimuli, axis=0)) == 440
    np.testing.assert_allclose(blocks.responses[22], samples.responses[153:156].mean(axis=0), atol=1e-6)


def test_correlations_are_those_of_scikit_learns_ridge():
    blocks = make_blocks(np.random.default_rng(0), signal=0.3)
    models = fit_without_each_fold(blocks, n_voxels=30, alpha=5.0, cv=3)
    found = identify(blocks, models)
    for rows, model in models:
        train = others(blocks, rows)
        ridge = Ridge(5.0).fit(train.stimuli, train.responses[:, model.voxels].astype(float))
        predicted = ridge.predict(found.candidates) - ridge.predict([train.stimuli.mean(axis=0)])
        measured = blocks.responses[rows][:, model.voxels] - train.responses[:, model.voxels].mean(axis=0, dtype=float)
        n = len(rows)
        expected = np.corrcoef(measured, predicted)[:n, n:]
        np.testing.assert_allclose(found.correlations[rows], expected, atol=1e-5)
    np.testing.assert_array_equal(found.candidates[found.right], blocks.stimuli)


def test_clear_responses_identify_every_image():
    blocks = make_blocks(np.random.default_rng(0), signal=5.0)
    found = identify(blocks, fit_without_each_fold(blocks, 100, alpha=1.0, cv=6))
    assert (found.ranks == 1).all() and found.accuracy(found.n_candidates) == 1


def with_ranks(ranks, n_candidates):
    """An identification in which the right image, always the first, has the given ranks."""
    correlations = np.array([[0.5, *[0.9] * (rank - 1), *[0.1] * (n_candidates - rank)] for rank in ranks])
    return Identification(np.arange(n_candidates)[:, np.newaxis], np.zeros(len(ranks), int), correlations)


@pytest.mark.parametrize("n", range(1, 8))
def test_accuracy_is_that_of_all_possible_draws(n):
    found = with_ranks([1, 1, 2, 4, 7], 7)
    np.testing.assert_array_equal(found.ranks, [1, 1, 2, 4, 7])
    wins = [
        (correlations[list(drawn)] < correlations[0]).all()
        for correlations in found.correlations
        for drawn in itertools.combinations(range(1, 7), n - 1)
    ]
    assert found.accuracy(n) == pytest.approx(np.mean(wins))


def test_accuracy_at_the_ends_and_for_ranks_by_chance():
    found = with_ranks([1, 3, 2, 1], 600)
    assert found.accuracy(1) == 1 and found.accuracy(600) == 0.5
    assert with_ranks([1], 1).accuracy(1) == 1
    by_chance = with_ranks(range(1, 201), 200)  # each rank once
    for n in (2, 10, 37, 200):
        assert by_chance.accuracy(n) == pytest.approx(1 / n)


def test_a_tie_is_a_miss():
    """A model that predicts nothing, and a pattern that does not vary, identify nothing."""
    blocks = make_blocks(np.random.default_rng(0), signal=5.0, n_voxels=20)
    model = fit_patterns(blocks, np.arange(20))
    silent = dataclasses.replace(model, weights=np.zeros_like(model.weights))
    flat = dataclasses.replace(blocks, responses=np.full_like(blocks.responses, 2))
    model = dataclasses.replace(model, mean_pattern=np.zeros(20))
    for found in (identify(blocks, silent), identify(flat, model)):
        assert (found.correlations == 0).all() and found.accuracy(2) == 0
        assert (found.ranks == found.n_candidates).all()


def test_more_candidates_rank_the_right_one_no_higher():
    rng = np.random.default_rng(3)
    blocks = make_blocks(rng, signal=0.2)
    models = fit_without_each_fold(blocks, 50, cv=4)
    few = identify(blocks, models)
    many = identify(blocks, models, np.vstack([few.candidates, rng.integers(0, 2, (300, 16)), few.candidates]))
    assert many.n_candidates > few.n_candidates and (many.ranks >= few.ranks).all() and (many.ranks > few.ranks).any()
    assert many.n_candidates == len(np.unique(many.candidates, axis=0)), "equal candidates count once"
    np.testing.assert_array_equal(many.candidates[many.right], blocks.stimuli)


def accuracies_on_noise(models_of, n_seeds=10):
    """Mean accuracy among 2 and among 10, over recordings of nothing but noise."""
    found = []
    for seed in range(n_seeds):
        blocks = make_blocks(np.random.default_rng(seed))
        found.append(identify(blocks, models_of(blocks)))
    return [np.mean([one.accuracy(n) for one in found]) for n in (2, 10)]


def test_noise_is_identified_at_chance():
    """1200 blocks. Within four standard deviations if they were independent: the share of a rank has variance 1/12."""
    of_two, of_ten = accuracies_on_noise(lambda blocks: fit_without_each_fold(blocks, 40, alpha=10.0, cv=6))
    assert of_two == pytest.approx(0.5, abs=4 * np.sqrt(1 / 12 / 1200))
    assert of_ten == pytest.approx(0.1, abs=4 * np.sqrt(0.1 * 0.9 / 1200))


def choose_on_all(blocks):
    """The leak: voxels that did well on all blocks, those to be identified among them."""
    voxels = best_voxels(blocks, 40, alpha=10.0, cv=6)
    return [(rows, fit_patterns(others(blocks, rows), voxels, 10.0, 6)) for _, rows in RunKFold(6).split(groups=blocks.runs)]


def train_on_all(blocks):
    """The leak: weights that have seen the responses to be identified; voxels chosen at random."""
    return fit_patterns(blocks, np.arange(40), 10.0, 6)


@pytest.mark.parametrize("leak", [choose_on_all, train_on_all])
def test_a_leak_would_identify_noise(leak):
    of_two, of_ten = accuracies_on_noise(leak)
    assert of_two > 0.55 and of_ten > 0.13


def test_a_fold_has_no_say_in_its_model():
    """Other responses in the held-out fold change nothing of its model, but the voxels of the other models."""
    blocks = make_blocks(np.random.default_rng(0), signal=0.2)
    before = fit_without_each_fold(blocks, 40, cv=3)
    responses = blocks.responses.copy()
    responses[before[1][0]] = np.random.default_rng(1).permutation(responses[before[1][0]])
    after = fit_without_each_fold(dataclasses.replace(blocks, responses=responses), 40, cv=3)
    for name in ("voxels", "weights", "mean_stimulus", "mean_pattern", "noise"):
        np.testing.assert_allclose(getattr(after[1][1], name), getattr(before[1][1], name), atol=1e-9)
    assert (after[0][1].voxels != before[0][1].voxels).any()


def test_the_best_voxels_are_those_with_signal():
    rng = np.random.default_rng(0)
    blocks = make_blocks(rng, n_voxels=60)
    good = [3, 17, 40, 41]
    blocks.responses[:, good] += 4 * blocks.stimuli[:, :4]
    np.testing.assert_array_equal(best_voxels(blocks, 4, alpha=10.0, cv=6), good)
    blocks.responses[:, 0] = 0  # never changes
    np.testing.assert_array_equal(best_voxels(blocks, 1000, cv=20), np.arange(60))


def test_simulated_recording(samples, figures):
    """Far above chance with images of both kinds."""
    blocks = average_trials(samples)
    found = identify(blocks, fit_without_each_fold(blocks))
    assert found.n_candidates == 440 and found.accuracy(440) > 0.5 and found.accuracy(10) > 0.9
    figures = average_trials(figures)
    assert figures.stimuli.shape == (120, 100)
    model = fit_patterns(blocks, best_voxels(blocks))
    among_figures = identify(figures, model)
    assert among_figures.n_candidates == 20 and among_figures.accuracy(20) > 0.5
    among_all = identify(figures, model, np.vstack([figures.stimuli, blocks.stimuli]))
    assert among_all.n_candidates == 460


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(n_voxels=1), "n_voxels=1.*at least 2"),
        (dict(cv=2), "cv=2.*needs 3 folds"),
        (dict(cv=7), "cv=7.*from 2 to 6"),
        (dict(alpha=-1), "alpha=-1"),
    ],
)
def test_what_cannot_be_fitted_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        fit_without_each_fold(make_blocks(np.random.default_rng(0), n_voxels=20), **dict(cv=3) | wrong)


def test_what_cannot_be_identified_is_refused():
    blocks = make_blocks(np.random.default_rng(0), n_voxels=20)
    model = fit_patterns(blocks, np.arange(20))
    with pytest.raises(ValueError, match="not among the candidates"):
        identify(blocks, model, blocks.stimuli[:5])
    for n in (0, 2.5, 1000):
        with pytest.raises(ValueError, match=f"n={n}: there are"):
            identify(blocks, model).accuracy(n)
    with pytest.raises(RecordingError, match="only rest"):
        average_trials(make_samples(-np.ones((9, 4)), np.zeros((9, 2)), np.zeros(9)))
