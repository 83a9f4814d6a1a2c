"""Ridge scores, within a kind of runs, on another kind and by number of runs, against scikit-learn; and folds."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.model_selection import KFold, LeaveOneGroupOut, LeaveOneOut, ShuffleSplit

import voxelwise as vw
from tests.plain import plain_loop

SOME_LEFT_OUT = [(np.arange(50), np.arange(60, 90)), (np.arange(40, 120), np.arange(30))]


@pytest.mark.parametrize(
    ("alpha", "cv"),
    [(1e6, KFold(2)), (0.0, LeaveOneGroupOut()), (3.0, ShuffleSplit(4, random_state=0)), (3.0, SOME_LEFT_OUT)],
    ids=str,
)
def test_scores_equal_the_plain_loop(small_samples, alpha, cv):
    """Stimuli that are all different, and such that repeat; one voxel ends each run as it began."""
    responses = small_samples.responses.copy()
    for run in small_samples.run_rows:
        responses[run[-1], 0] = responses[run[0], 0]
    for rows in (np.arange(120), np.random.default_rng(0).integers(0, 40, 120)):
        samples = dataclasses.replace(small_samples, stimuli=small_samples.stimuli[rows], responses=responses)
        expected, _ = plain_loop(samples, Ridge(alpha) if alpha else LinearRegression(), cv)
        np.testing.assert_allclose(vw.cross_validate_ridge(samples, alpha, cv), expected, atol=1e-7)


def test_predictions_and_correlations_equal_the_plain_loop(small_samples):
    """Stimuli stay for several volumes. A voxel that never changes, or is out of view in a run, is as for R2."""
    responses, stimuli = small_samples.responses.copy(), np.repeat(small_samples.stimuli[::3], 3, axis=0)
    responses[:, 0], responses[small_samples.runs == 3, 1] = 1.7, 0
    samples = dataclasses.replace(small_samples, stimuli=stimuli, responses=responses)
    cv, some = LeaveOneGroupOut(), [5, 2, 11]
    _, predictions = plain_loop(samples, Ridge(3.0), cv)
    np.testing.assert_allclose(vw.predict_ridge(samples, some, 3.0, cv), predictions[:, some], atol=1e-7)
    r = vw.cross_validate_ridge(samples, 3.0, cv, scoring="r")
    for found, (_, test) in zip(r, cv.split(responses, groups=samples.runs), strict=True):
        np.testing.assert_allclose(found[2:], pearsonr(predictions[test, 2:], responses[test, 2:]).statistic, atol=1e-6)
    assert not r[:, 0].any() and vw.mean_correlation(r)[1] == pytest.approx(vw.mean_correlation(r[:-1])[1])


def test_correlations_are_0_without_a_change_and_averaged_by_fishers_z(small_samples):
    stimuli = np.where(small_samples.runs[:, np.newaxis] == 2, 1, small_samples.stimuli)
    r = vw.cross_validate_ridge(dataclasses.replace(small_samples, stimuli=stimuli), 1.0, 4, scoring="r")
    assert not r[2].any() and r[[0, 1, 3]].all()
    r = np.array([[0.1, -0.5, 0], [0.9, 0.5, 1]])
    np.testing.assert_allclose(vw.mean_correlation(r)[:2], [np.tanh(np.arctanh(r[:, 0]).mean()), 0], atol=1e-12)
    assert 0.99 < vw.mean_correlation(r)[2] < 1 and vw.mean_correlation([1.0, 1.0]) == pytest.approx(1)


def test_more_features_than_samples_dull_pixels_and_few_samples(small_samples):
    features = np.random.default_rng(0).normal(size=(120, 300))
    wide = vw.Samples.from_arrays(features, small_samples.responses, small_samples.runs)
    scores, predictions = plain_loop(wide, Ridge(50.0), vw.RunKFold(4))
    np.testing.assert_allclose(vw.cross_validate_ridge(wide, 50.0, 4), scores, atol=1e-6)
    np.testing.assert_allclose(vw.predict_ridge(wide, None, 50.0, 4), predictions, atol=1e-5)
    half = small_samples.stimuli[:, :8]
    doubled = dataclasses.replace(small_samples, stimuli=np.hstack([half, half, np.ones_like(half)]))
    few = doubled.take(np.concatenate([rows[:5] for rows in small_samples.run_rows]))
    for alpha, model in ((0.0, LinearRegression()), (3.0, Ridge(3.0))):
        _, predictions = plain_loop(few, model, vw.RunKFold(2))
        np.testing.assert_allclose(vw.predict_ridge(few, range(5), alpha, 2), predictions[:, :5], atol=1e-6)


def test_digits_are_not_lost(small_samples):
    """Of most constants, sums of squares leave some variance; and of means of many standard deviations hardly any."""
    responses = small_samples.responses.copy()
    responses[:, 20:] = np.append(0, np.geomspace(0.01, 1000, 29))
    dull = dataclasses.replace(small_samples, responses=responses)
    scores = vw.cross_validate_ridge(dull, cv=4)
    assert scores[:, :20].all() and not scores[:, 20:].any()
    np.testing.assert_allclose(vw.predict_ridge(dull, cv=4)[:, 20:], responses[:, 20:], rtol=1e-6)
    shifted = dataclasses.replace(dull, responses=responses.astype(np.float64) - 1e9)
    np.testing.assert_allclose(vw.cross_validate_ridge(shifted, cv=4), scores, atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_a_voxel_out_of_view_in_a_run_is_judged_by_the_others(small_samples):
    """Every model gives it what it gives a recording without this run; the other voxels stay as they are."""
    responses, seen = small_samples.responses.copy(), small_samples.runs != 1
    responses[~seen, :5] = [0, 1.7, 0, 0, 0]
    partly = dataclasses.replace(small_samples, responses=responses)
    kept = partly.take(seen, range(5))
    scores, plain = (vw.cross_validate_ridge(each, 3.0, LeaveOneGroupOut()) for each in (partly, small_samples))
    expected = vw.cross_validate_ridge(kept, 3.0, 3)
    np.testing.assert_allclose(scores[[0, 2, 3], :5], expected, atol=1e-9)
    np.testing.assert_allclose(scores[1, :5], expected.mean(axis=0), atol=1e-9)
    np.testing.assert_allclose(scores[:, 5:], plain[:, 5:], atol=1e-9)
    predicted = vw.predict_ridge(partly, range(5), 3.0, 4)[seen]
    np.testing.assert_allclose(predicted, vw.predict_ridge(kept, None, 3.0, 3), atol=1e-6)
    for fit in (vw.fit_receptive_fields, vw.fit_prf):
        np.testing.assert_allclose(fit(partly, range(5)), fit(kept), atol=1e-9)
    test = vw.permutation_test(partly, 3.0, 4, 3, rng=np.random.default_rng(0))
    np.testing.assert_allclose(test.scores, scores.mean(axis=0), atol=1e-9)
    search, without = vw.search_alpha(partly, [1, 30], 4), vw.search_alpha(kept, [1, 30], 3)
    np.testing.assert_allclose(search.scores.mean(axis=0)[:5], without.scores.mean(axis=0), atol=1e-9)
    transfer = [vw.score_transfer(some.take(some.runs < 2), some.take(some.runs > 1))[:, :5] for some in (partly, kept)]
    np.testing.assert_allclose(*transfer, atol=1e-9)


def test_transfer_equals_scikit_learn(small_samples):
    runs = small_samples.run_rows
    expected, _ = plain_loop(small_samples, Ridge(0.5), [(np.concatenate(runs[2:]), test) for test in runs[:2]])
    train, test = small_samples.take(small_samples.runs > 1), small_samples.take(small_samples.runs < 2)
    np.testing.assert_allclose(vw.score_transfer(train, test, 0.5), expected, atol=1e-7)
    with pytest.raises(ValueError, match="responses: 50 columns in train_samples, 3 in test_samples"):
        vw.score_transfer(train, test.take(voxels=[0, 1, 2]))


def test_a_learning_curve_equals_a_plain_loop_over_draws(small_samples):
    """A voxel that the second run tells nothing of has the mean of the draws that began with another."""
    responses = small_samples.responses.copy()
    responses[small_samples.runs == 1, 0] = 0
    partly = dataclasses.replace(small_samples, responses=responses)
    scores = vw.learning_curve(partly, [1, 3], [2], 3.0, 6, rng=np.random.default_rng(0))
    rng, test = np.random.default_rng(0), np.flatnonzero(partly.runs == 2)
    orders = [rng.permutation([0, 1, 3]) for _ in range(6)]
    for n, found in zip((1, 3), scores, strict=True):
        splits = [(np.flatnonzero(np.isin(partly.runs, order[:n])), test) for order in orders]
        np.testing.assert_allclose(found[:, 1:], plain_loop(partly, Ridge(3.0), splits)[0][:, 1:], atol=1e-7)
    blind = np.array([order[0] == 1 for order in orders])
    assert 0 < blind.sum() < 6
    np.testing.assert_allclose(scores[0, blind, 0], scores[0, ~blind, 0].mean(), atol=1e-9)
    with pytest.raises(ValueError, match="test_runs"):
        vw.learning_curve(partly, [1], np.arange(4) == 2, rng=rng)  # a mask is no run


def test_folds_are_whole_runs_and_cover_each_sample_once():
    runs = np.repeat(np.arange(7), np.arange(7) % 3 + 4)
    folds = vw.RunKFold(3).split(groups=[f"run-{9 - run}" for run in runs])
    for (train, test), held_out in zip(folds, ([0, 1, 2], [3, 4], [5, 6]), strict=True):
        np.testing.assert_array_equal(train, np.flatnonzero(~np.isin(runs, held_out)))
        np.testing.assert_array_equal(test, np.flatnonzero(np.isin(runs, held_out)))


def test_wrong_arguments_are_refused(small_samples):
    one = dataclasses.replace(small_samples, runs=np.zeros_like(small_samples.runs))
    for samples, wrong, message in (
        *[(small_samples, dict(cv=n), rf"={n}: folds are whole runs.*from 2 to 4") for n in (1, 5, 2.5, None)],
        (small_samples, dict(cv=LeaveOneOut()), "scores on a single sample"),
        (small_samples, dict(cv=[([0, 1, 1], [2])]), "split 0 names.*twice"),
        *[(small_samples, dict(alpha=alpha), f"alpha={alpha}: .*at least 0") for alpha in (-1.0, np.nan, "a")],
    ):
        with pytest.raises(ValueError, match=message):
            vw.cross_validate_ridge(samples, **dict(cv=4) | wrong)
    with pytest.raises(ValueError, match="each sample is predicted once"):
        vw.predict_ridge(small_samples, cv=ShuffleSplit(3, random_state=0))
    with pytest.raises(ValueError, match="groups: expected the run of each sample"):
        list(vw.RunKFold(2).split(small_samples.stimuli))
    with pytest.raises(vw.RecordingError, match="only one run"):
        vw.fit_receptive_fields(one)


@pytest.mark.parametrize("call", [vw.predict_ridge, vw.fit_receptive_fields, vw.fit_prf])
def test_numbers_that_are_not_finite_are_refused_and_voxels_may_be_a_mask(small_samples, call):
    options, mask = dict(cv=4) if call is vw.predict_ridge else {}, np.isin(np.arange(50), [2, 9])
    np.testing.assert_array_equal(call(small_samples, mask, **options), call(small_samples, [2, 9], **options))
    for wrong in ([50], [-1], [0.5], mask[:-1], 3):
        with pytest.raises(ValueError, match="columns from 0 to 49, or a mask of 50"):
            call(small_samples, wrong, **options)
    for matrix, name in (("stimuli", "X"), ("responses", "Y")):
        values = getattr(small_samples, matrix).copy()
        values[17, 3] = np.nan
        with pytest.raises(ValueError, match=f"{name}: row 17, column 3 is nan"):
            call(dataclasses.replace(small_samples, **{matrix: values}), **options)
