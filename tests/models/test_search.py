"""The search for each voxel's penalty, against scikit-learn in nested loops."""

import ast
import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tests.notebooks import ROOT
from tools.press.parameters import read_parameters
from voxelwise import RecordingError, cross_validate_ridge, load_recording, load_samples, search_alpha, whole_run_folds
from voxelwise.models.batches import CHUNK_SIZE, one_thread
from voxelwise.models.search import ALPHAS as ALPHAS_BY_DEFAULT
from voxelwise.simulation.cortex import MARKED_COLUMNS

ALPHAS = [3.0, 100.0, 1000.0, 30000.0]


def with_voxels(samples, voxels):
    return dataclasses.replace(samples, responses=samples.responses[:, voxels])


@one_thread
def nested_loop(samples, alphas, n_splits):
    """Curves, choices and scores from nothing but scikit-learn; of equal penalties the smaller one."""
    x, y = samples.stimuli.astype(float), samples.responses.astype(float)
    folds = whole_run_folds(samples.runs, n_splits)
    curves, chosen, scores = [], [], []
    for outer in folds:
        inner_scores = []
        for inner in folds:
            if inner is not outer:
                train = np.setdiff1d(np.arange(len(x)), np.concatenate([outer, inner]))
                models = [Ridge(alpha).fit(x[train], y[train]) for alpha in alphas]
                inner_scores.append([r2_score(y[inner], m.predict(x[inner]), multioutput="raw_values") for m in models])
        curve = np.mean(inner_scores, axis=0)
        best = np.asarray(alphas)[curve.argmax(axis=0)]
        train = np.setdiff1d(np.arange(len(x)), outer)
        predicted = Ridge(best).fit(x[train], y[train]).predict(x[outer])  # a penalty for each voxel
        curves.append(curve)
        chosen.append(best)
        scores.append(r2_score(y[outer], predicted, multioutput="raw_values"))
    return np.mean(curves, axis=0), np.array(chosen), np.array(scores)


@pytest.fixture
def small_samples(small_folder):
    return load_samples(load_recording(small_folder), lag=0)


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_simulated_recording_equals_the_nested_loop(samples):
    """Good, mediocre and silent voxels; more than half of the choices differ between voxels."""
    some = with_voxels(samples, [*MARKED_COLUMNS, *range(0, samples.responses.shape[1], 450)])
    search = search_alpha(some, ALPHAS, n_splits=5)
    curves, chosen, scores = nested_loop(some, ALPHAS, 5)
    np.testing.assert_array_equal(search.alphas, ALPHAS)
    np.testing.assert_allclose(search.curves, curves, atol=1e-4)
    np.testing.assert_array_equal(search.chosen, chosen)
    np.testing.assert_allclose(search.scores, scores, atol=1e-4)
    assert len(np.unique(chosen)) >= 3


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
@pytest.mark.parametrize("n_splits", [3, 4])
def test_small_recording_equals_the_nested_loop(small_samples, n_splits):
    """Runs of different length, so that a mean over folds is not a mean over samples."""
    search = search_alpha(small_samples, ALPHAS[::-1], n_splits=n_splits)
    curves, chosen, scores = nested_loop(small_samples, ALPHAS, n_splits)
    np.testing.assert_array_equal(search.alphas, ALPHAS)
    np.testing.assert_allclose(search.curves, curves, atol=1e-4)
    np.testing.assert_array_equal(search.chosen, chosen)
    np.testing.assert_allclose(search.scores, scores, atol=1e-4)


def test_one_penalty_leaves_nothing_to_choose(small_samples):
    search = search_alpha(small_samples, [100.0], n_splits=4)
    np.testing.assert_allclose(search.scores, cross_validate_ridge(small_samples, 100.0, 4), atol=1e-9)


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_a_fold_has_no_say_in_its_own_choice(small_samples):
    """Other responses in the outer fold change its score, but neither its choice nor the training."""
    fold = whole_run_folds(small_samples.runs, 4)[1]
    responses = small_samples.responses.copy()
    responses[fold] = np.random.default_rng(0).permutation(responses[fold])
    before = search_alpha(small_samples, ALPHAS, n_splits=4)
    after = search_alpha(dataclasses.replace(small_samples, responses=responses), ALPHAS, n_splits=4)
    np.testing.assert_array_equal(after.chosen[1], before.chosen[1])
    assert (after.chosen != before.chosen).any()
    assert after.scores[1].mean() < before.scores[1].mean() - 0.2


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_a_choice_on_the_scored_fold_would_flatter(small_samples):
    """Voxels of pure noise: nothing can be predicted, but the best of eight penalties on a fold looks as if."""
    noise = np.random.default_rng(1).normal(size=(len(small_samples.runs), 400)).astype(np.float32)
    for run in range(4):
        noise[small_samples.runs == run] -= noise[small_samples.runs == run].mean(axis=0)
    silent = dataclasses.replace(small_samples, responses=noise)
    alphas = np.geomspace(1, 1e6, 8)
    leaking = np.max([cross_validate_ridge(silent, alpha, 4) for alpha in alphas], axis=0)
    honest = search_alpha(silent, alphas, n_splits=4).scores
    assert leaking.mean() > 0.005
    assert honest.mean() < 0


def test_the_choice_pays_on_runs_that_it_has_not_seen(samples):
    """Against the published penalty for all, on the voxels that this one predicts."""
    good = np.flatnonzero(cross_validate_ridge(samples).mean(axis=0) > 0.1)[::6]
    some = with_voxels(samples, good)
    gain = search_alpha(some).scores.mean(axis=0) - cross_validate_ridge(some).mean(axis=0)
    assert gain.mean() > 0.01 and (gain > 0).mean() > 0.9


def test_voxels_do_not_depend_on_their_chunk(samples):
    some = with_voxels(samples, np.arange(CHUNK_SIZE + 40))
    alone = search_alpha(some, ALPHAS, n_splits=3)
    backwards = search_alpha(with_voxels(some, np.arange(CHUNK_SIZE + 40)[::-1]), ALPHAS, n_splits=3)
    for name in ("curves", "chosen", "scores"):
        np.testing.assert_allclose(getattr(backwards, name)[:, ::-1], getattr(alone, name), atol=1e-9)


@pytest.mark.parametrize(
    ("alphas", "word"),
    [
        ([1e4, 1e5, 1e6], "smallest penalty, 10000"), ([1e-3, 1e-2], "largest penalty, 0.01"),
        ([60, 180, 600, 1800, 6000], "smallest penalty, 60"),  # by some of the choices
    ],
)  # fmt: skip
def test_choices_at_the_edge_are_pointed_out(samples, alphas, word):
    with pytest.warns(UserWarning, match=f"are the {word}.*extend alphas"):
        search_alpha(with_voxels(samples, list(MARKED_COLUMNS)), alphas, n_splits=4)


def test_penalties_by_default_are_those_of_the_chapter():
    parameters = read_parameters(ROOT / "book" / "06_choosing_the_penalty.ipynb")
    ends, n_alphas = (ast.literal_eval(parameters[name].default) for name in ("alpha_range", "n_alphas"))
    np.testing.assert_allclose(ALPHAS_BY_DEFAULT, np.geomspace(*ends, n_alphas))


def test_a_grid_that_is_wide_enough_is_not_complained_of(samples):
    """Silent voxels choose the largest penalty, whatever it is."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        search = search_alpha(with_voxels(samples, [*MARKED_COLUMNS, 0, 5, 10, 15, 20]), n_splits=4)
    assert (search.chosen == search.alphas[-1]).any()


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_bad_input_has_a_finite_answer(small_samples):
    """A pixel and a voxel that never change, identical pixels, fewer samples than pixels."""
    rows = np.concatenate([np.flatnonzero(small_samples.runs == run)[:5] for run in range(4)])
    stimuli, responses = small_samples.stimuli[rows], small_samples.responses[rows, :8]
    stimuli[:, 3], stimuli[:, 5] = 1, stimuli[:, 2]
    responses[:, 1], responses[:, 6] = 0, 2.5
    bad = dataclasses.replace(small_samples, stimuli=stimuli, responses=responses, runs=small_samples.runs[rows])
    search = search_alpha(bad, [1.0, 100.0], n_splits=4)
    np.testing.assert_array_equal(search.scores[:, [1, 6]], 0)
    np.testing.assert_array_equal(search.chosen[:, [1, 6]], 1)
    assert np.isfinite(search.scores).all() and np.isfinite(search.curves).all()
    kept = dataclasses.replace(bad, responses=np.delete(responses, [1, 6], axis=1))
    _, _, scores = nested_loop(kept, [1.0, 100.0], 4)
    np.testing.assert_allclose(np.delete(search.scores, [1, 6], axis=1), scores, atol=1e-4)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (dict(alphas=[]), "alphas is empty"),
        (dict(alphas=[1, -1]), "alpha=-1"),
        (dict(alphas=[1, np.nan]), "alpha=nan"),
        (dict(n_splits=2), "n_splits=2.*needs 3 folds"),
        (dict(n_splits=5), "n_splits=5.*from 2 to 4"),
    ],
)
def test_what_cannot_be_searched_is_refused(small_samples, wrong, message):
    with pytest.raises(RecordingError, match=message):
        search_alpha(small_samples, **dict(n_splits=4) | wrong)
