"""Ridge scores and folds, against scikit-learn in a plain loop."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import (
    GroupShuffleSplit,
    KFold,
    LeaveOneGroupOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
)

from tests.models.conftest import plain_loop, with_rows, with_voxels
from voxelwise import (
    RecordingError,
    RunKFold,
    cross_validate_ridge,
    fit_prf,
    fit_receptive_fields,
    permutation_test,
    predict_ridge,
    search_alpha,
)


def run_folds(runs, n_splits):
    """Folds drawn by KFold over the runs."""
    numbers = np.unique(runs)
    folds = [np.isin(runs, numbers[held_out]) for _, held_out in KFold(n_splits).split(numbers)]
    return [(np.flatnonzero(~test), np.flatnonzero(test)) for test in folds]


def test_defaults_are_the_published_analysis(samples):
    """Alpha 100, 10 folds: on 20 runs of one length, KFold over the samples cuts between runs."""
    some = with_voxels(samples, slice(None, None, 4))
    expected, _ = plain_loop(some, Ridge(100), KFold(10).split(samples.stimuli))
    np.testing.assert_allclose(cross_validate_ridge(some), expected, atol=1e-7)


@pytest.mark.parametrize(
    ("alpha", "n_splits", "model"), [(100.0, 4, Ridge(100)), (1, 3, Ridge(1)), (1e6, 2, Ridge(1e6)), (0, 4, None)]
)
def test_scores_and_predictions_equal_the_plain_loop(small_samples, alpha, n_splits, model):
    """Without a penalty it is least squares."""
    splits = run_folds(small_samples.runs, n_splits)
    scores, predictions = plain_loop(small_samples, model or LinearRegression(), splits)
    np.testing.assert_allclose(cross_validate_ridge(small_samples, alpha, n_splits), scores, atol=1e-7)
    columns = [5, 0, 11]
    np.testing.assert_allclose(
        predict_ridge(small_samples, columns, alpha, n_splits), predictions[:, columns], atol=1e-7
    )


@pytest.mark.filterwarnings("ignore:The groups parameter is ignored")
@pytest.mark.parametrize("repeated", [True, False], ids=["stimuli repeat", "no two alike"])
@pytest.mark.parametrize(
    "cv",
    [
        LeaveOneGroupOut(),
        KFold(3, shuffle=True, random_state=0),
        ShuffleSplit(4, random_state=0),
        GroupShuffleSplit(3, test_size=2, random_state=0),
        TimeSeriesSplit(3),
        PredefinedSplit(np.repeat([-1, 0, 1], 40)),
        RepeatedKFold(n_splits=3, n_repeats=2, random_state=0),
        [(np.arange(50), np.arange(60, 90)), (np.arange(40, 120), np.arange(30))],
    ],
    ids=lambda cv: type(cv).__name__,
)
def test_any_splitter_equals_the_plain_loop(small_samples, cv, repeated):
    """Training sets need not be all that is not scored on; test sets may overlap."""
    rng = np.random.default_rng(0)
    stimuli = rng.integers(0, 2, (6, 16))[rng.integers(0, 6, 120)] if repeated else rng.normal(size=(120, 16))
    samples = dataclasses.replace(small_samples, stimuli=np.float32(stimuli))
    splits = cv if isinstance(cv, list) else list(cv.split(stimuli, groups=samples.runs))
    expected, _ = plain_loop(samples, Ridge(3), splits)
    np.testing.assert_allclose(cross_validate_ridge(samples, 3.0, cv), expected, atol=1e-7)


def test_dull_pixels_and_few_samples_get_the_smallest_solution(small_samples):
    """A constant pixel, a doubled one, fewer samples than pixels: least squares of the smallest norm, as there."""
    half = small_samples.stimuli[:, :8]
    doubled = dataclasses.replace(small_samples, stimuli=np.hstack([half, half, np.ones_like(half)]))
    few = with_rows(doubled, np.concatenate([rows[:5] for rows in small_samples.run_rows]))
    for alpha, model in ((0.0, LinearRegression()), (3.0, Ridge(3.0))):
        _, predictions = plain_loop(few, model, run_folds(few.runs, 2))
        np.testing.assert_allclose(predict_ridge(few, range(5), alpha, 2), predictions[:, :5], atol=1e-6)


def test_a_voxel_that_never_changes_scores_0(small_samples):
    """Of most of these numbers, sums of squares leave some variance by rounding."""
    values = np.append(0, np.geomspace(0.01, 1000, 30)).astype(np.float32)
    responses = np.hstack([small_samples.responses, np.tile(values, (len(small_samples.runs), 1))])
    dull = dataclasses.replace(small_samples, responses=responses)
    scores = cross_validate_ridge(dull, cv=4)
    np.testing.assert_array_equal(scores[:, -len(values) :], 0)
    assert np.count_nonzero(scores[:, : -len(values)]) == scores[:, : -len(values)].size
    np.testing.assert_allclose(predict_ridge(dull, cv=4)[:, -len(values) :], responses[:, -len(values) :], rtol=1e-6)


@pytest.mark.parametrize("offset", [1000, 1e7, -1e9])
def test_scores_do_not_depend_on_an_offset(small_samples, offset):
    """A mean of many standard deviations: squares would lose the digits, so it goes first."""
    shifted = dataclasses.replace(small_samples, responses=small_samples.responses.astype(np.float64) + offset)
    plain = cross_validate_ridge(small_samples, cv=4)
    np.testing.assert_allclose(cross_validate_ridge(shifted, cv=4), plain, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
@pytest.mark.parametrize("out", [[1], [0, 3]], ids=str)
def test_a_voxel_out_of_view_in_some_runs_is_judged_by_the_others(small_samples, out):
    """Every model gives it what it gives a recording without these runs; the other voxels stay as they are."""
    responses = small_samples.responses.copy()
    responses[np.isin(small_samples.runs, out), :5] = [0, 1.7, 0, 0, 0]
    partly = dataclasses.replace(small_samples, responses=responses)
    kept = with_rows(with_voxels(partly, slice(5)), ~np.isin(small_samples.runs, out))

    scores, expected = (
        cross_validate_ridge(partly, 3.0, LeaveOneGroupOut()),
        cross_validate_ridge(kept, 3.0, 4 - len(out)),
    )
    np.testing.assert_allclose(np.delete(scores, out, axis=0)[:, :5], expected, atol=1e-9)
    np.testing.assert_allclose(scores[out, :5], expected[[0] * len(out)] * 0 + expected.mean(axis=0), atol=1e-9)
    plain = cross_validate_ridge(small_samples, 3.0, 4)
    np.testing.assert_allclose(scores[:, 5:], plain[:, 5:], atol=1e-9)
    predicted = predict_ridge(partly, range(5), 3.0, 4)[~np.isin(small_samples.runs, out)]
    np.testing.assert_allclose(predicted, predict_ridge(kept, None, 3.0, 4 - len(out)), atol=1e-6)

    np.testing.assert_allclose(fit_receptive_fields(partly, range(5)), fit_receptive_fields(kept), atol=1e-9)
    np.testing.assert_allclose(fit_prf(partly, range(5)), fit_prf(kept), atol=1e-9)
    some = dict(alpha=3.0, n_permutations=3, rng=np.random.default_rng(0))
    test = permutation_test(partly, cv=4, **some)
    np.testing.assert_allclose(test.scores, scores.mean(axis=0), atol=1e-9)
    if len(out) == 1:
        search, without = search_alpha(partly, [1, 30], 4), search_alpha(kept, [1, 30], 3)
        np.testing.assert_array_equal(np.delete(search.chosen, out, axis=0)[:, :5], without.chosen)
        np.testing.assert_allclose(search.scores.mean(axis=0)[:5], without.scores.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("call", [cross_validate_ridge, search_alpha, predict_ridge, fit_receptive_fields, fit_prf])
@pytest.mark.parametrize(("matrix", "name"), [("stimuli", "X"), ("responses", "Y")])
def test_what_is_no_number_is_refused(small_samples, call, matrix, name):
    values = getattr(small_samples, matrix).copy()
    values[17, 3] = np.nan
    options = {} if call in (fit_receptive_fields, fit_prf) else dict(cv=4)
    with pytest.raises(ValueError, match=f"{name}: row 17, column 3 is nan"):
        call(dataclasses.replace(small_samples, **{matrix: values}), **options)


@pytest.mark.parametrize(("n_runs", "n_splits"), [(20, 10), (8, 8), (7, 3), (5, 2)])
def test_folds_are_whole_runs_and_cover_each_sample_once(n_runs, n_splits):
    """In the order in which the runs come, whatever they are called."""
    runs = np.repeat(np.arange(n_runs), np.arange(n_runs) % 3 + 4)
    labels = np.array([f"run-{n_runs - run}" for run in runs])
    for groups in (runs, labels):
        folds = list(RunKFold(n_splits).split(groups=groups))
        assert len(folds) == RunKFold(n_splits).get_n_splits()
        for own, (train, test) in zip(folds, run_folds(runs, n_splits), strict=True):
            np.testing.assert_array_equal(own[0], train)
            np.testing.assert_array_equal(own[1], test)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        *[(dict(cv=n), rf"cv={n}: folds are whole runs.*from 2 to 4") for n in (0, 1, 5, 2.5, None)],
        (dict(cv=RunKFold(5)), "n_splits=5.*from 2 to 4"),
        (dict(cv="four"), "cv.*four"),
        (dict(cv=[]), "no split"),
        (dict(cv=[([0, 1, 1], [2])]), "split 0 names.*twice"),
        (dict(cv=[([0, 1], [])]), "split 0 names no samples"),
        *[(dict(alpha=alpha), f"alpha={alpha}: .*at least 0") for alpha in (-1.0, np.nan, np.inf, "a", None)],
    ],
)
def test_wrong_arguments_are_refused(small_samples, wrong, message):
    with pytest.raises(ValueError, match=message):
        cross_validate_ridge(small_samples, **dict(cv=4) | wrong)


def test_predictions_take_each_sample_once(small_samples):
    with pytest.raises(ValueError, match="each sample is predicted once"):
        predict_ridge(small_samples, cv=ShuffleSplit(3, random_state=0))
    with pytest.raises(ValueError, match="groups: expected the run of each sample"):
        list(RunKFold(2).split(small_samples.stimuli))


def test_one_run_cannot_be_held_out(small_samples):
    one = dataclasses.replace(small_samples, runs=np.zeros_like(small_samples.runs))
    for call in (lambda samples: cross_validate_ridge(samples, cv=2), fit_receptive_fields):
        with pytest.raises(RecordingError, match="only one run"):
            call(one)


@pytest.mark.parametrize("call", [predict_ridge, fit_receptive_fields, fit_prf])
def test_voxels_are_named_by_columns_or_by_a_mask(small_samples, call):
    options = dict(cv=4) if call is predict_ridge else {}
    n_voxels = small_samples.responses.shape[1]
    mask = np.isin(np.arange(n_voxels), [2, 9])
    found = call(small_samples, mask, **options)
    np.testing.assert_array_equal(found, call(small_samples, [2, 9], **options))
    for wrong in ([n_voxels], [-1], [0.5], mask[:-1], 3):
        with pytest.raises(ValueError, match=f"voxels=.*0 to {n_voxels - 1}, or a mask of {n_voxels}"):
            call(small_samples, wrong, **options)
