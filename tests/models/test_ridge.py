"""Ridge scores, against scikit-learn in a plain loop."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold

from voxelwise import (
    RecordingError,
    Samples,
    cross_validate_ridge,
    load_recording,
    load_samples,
    predict_ridge,
    whole_run_folds,
)


def plain_loop(samples, model, n_splits):
    """Scores and predictions of a scikit-learn model, folds drawn by KFold over the runs."""
    scores, predictions = [], np.empty_like(samples.responses)
    numbers = np.unique(samples.runs)
    for _, held_out in KFold(n_splits).split(numbers):
        test = np.isin(samples.runs, numbers[held_out])
        model.fit(samples.stimuli[~test], samples.responses[~test])
        predictions[test] = model.predict(samples.stimuli[test])
        scores.append(r2_score(samples.responses[test], predictions[test], multioutput="raw_values"))
    return np.array(scores), predictions


@pytest.fixture
def small_samples(small_folder):
    return load_samples(load_recording(small_folder), lag=0)


def test_defaults_are_the_published_analysis(samples):
    """Alpha 100, 10 folds: on 20 runs of one length, KFold over the samples cuts between runs."""
    expected = [
        r2_score(
            samples.responses[test],
            Ridge(100).fit(samples.stimuli[train], samples.responses[train]).predict(samples.stimuli[test]),
            multioutput="raw_values",
        )
        for train, test in KFold(10).split(samples.stimuli)
    ]
    np.testing.assert_allclose(cross_validate_ridge(samples), expected, atol=1e-4)


@pytest.mark.parametrize(("alpha", "n_splits"), [(100.0, 4), (1.0, 3), (1e6, 2)])
def test_scores_and_predictions_equal_the_plain_loop(small_samples, alpha, n_splits):
    scores, predictions = plain_loop(small_samples, Ridge(alpha), n_splits)
    np.testing.assert_allclose(cross_validate_ridge(small_samples, alpha, n_splits), scores, atol=1e-4)
    columns = [5, 0, 11]
    np.testing.assert_allclose(
        predict_ridge(small_samples, columns, alpha, n_splits), predictions[:, columns], atol=1e-4
    )


def test_without_a_penalty_it_is_least_squares(small_samples):
    scores, _ = plain_loop(small_samples, LinearRegression(), 4)
    np.testing.assert_allclose(cross_validate_ridge(small_samples, 0.0, 4), scores, atol=1e-4)


def test_dull_pixels_and_few_samples_get_the_smallest_solution(small_samples):
    """A constant pixel, a doubled one, fewer samples than pixels: least squares of the smallest norm, as scikit-learn's."""
    stimuli = np.hstack(
        [small_samples.stimuli[:, :8], small_samples.stimuli[:, :8], np.ones((len(small_samples.runs), 8))]
    )
    keep = np.concatenate([np.flatnonzero(small_samples.runs == run)[:5] for run in range(4)])
    few = dataclasses.replace(
        small_samples,
        stimuli=stimuli[keep].astype(np.float32),
        responses=small_samples.responses[keep],
        runs=small_samples.runs[keep],
    )
    for alpha, model in ((0.0, LinearRegression()), (3.0, Ridge(3.0))):
        _, predictions = plain_loop(few, model, 2)
        np.testing.assert_allclose(predict_ridge(few, range(5), alpha, 2), predictions[:, :5], atol=1e-3)


def test_a_voxel_that_never_changes_scores_0(small_samples):
    """Of most of these numbers, sums of squares leave some variance by rounding."""
    values = np.append(0, np.geomspace(0.01, 1000, 30))
    responses = np.hstack([small_samples.responses, np.tile(values, (len(small_samples.runs), 1))])
    scores = cross_validate_ridge(dataclasses.replace(small_samples, responses=responses), n_splits=4)
    np.testing.assert_array_equal(scores[:, -len(values) :], 0)
    assert np.isfinite(scores).all()


def test_scores_do_not_depend_on_an_offset(small_samples):
    """Sums of large numbers cancel; float64 and centring keep the digits."""
    shifted = dataclasses.replace(small_samples, responses=(small_samples.responses + 1000).astype(np.float64))
    np.testing.assert_allclose(
        cross_validate_ridge(shifted, n_splits=4), cross_validate_ridge(small_samples, n_splits=4), atol=1e-4
    )


@pytest.mark.parametrize(("n_runs", "n_splits"), [(20, 10), (8, 8), (7, 3), (5, 2)])
def test_folds_are_whole_runs_and_cover_each_sample_once(n_runs, n_splits):
    runs = np.repeat(np.arange(n_runs), np.arange(n_runs) % 3 + 4)
    folds = whole_run_folds(runs, n_splits)
    np.testing.assert_array_equal(np.sort(np.concatenate(folds)), np.arange(len(runs)))
    held_out = [np.unique(runs[rows]).tolist() for rows in folds]
    assert held_out == [test.tolist() for _, test in KFold(n_splits).split(np.arange(n_runs))]


@pytest.mark.parametrize("n_splits", [0, 1, 5, 2.5])
def test_folds_that_the_runs_cannot_fill_are_refused(small_samples, n_splits):
    with pytest.raises(RecordingError, match=f"n_splits={n_splits}.*from 2 to 4"):
        cross_validate_ridge(small_samples, n_splits=n_splits)


@pytest.mark.parametrize("alpha", [-1.0, float("nan"), float("inf")])
def test_an_impossible_penalty_is_refused(small_samples, alpha):
    with pytest.raises(RecordingError, match="alpha="):
        cross_validate_ridge(small_samples, alpha=alpha, n_splits=4)


def test_one_run_cannot_be_held_out():
    one = Samples(np.zeros((9, 4), np.float32), np.zeros((9, 3), np.float32), np.zeros(9, int), (2, 2), None)
    with pytest.raises(RecordingError, match="only one run"):
        cross_validate_ridge(one, n_splits=2)
