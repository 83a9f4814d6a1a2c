"""Responses to trials, which stimulus it was and what it looked like: against direct solutions, in noise, by hand."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import spm_hrf
from nilearn.signal import create_cosine_drift
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import OrthogonalMatchingPursuit, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import voxelwise as vw
from tests.plain import plain_loop
from voxelwise import Samples, fit_patterns, fit_without_each_fold, identify, reconstruct, score_pixels
from voxelwise.decoding import patterns


def make_trials(rng, signal=0.0, n_runs=6, n_per_run=20, n_pixels=16, n_voxels=400):
    """Black and white stimuli, and voxels that each weigh a few pixels, times ``signal``, plus unit noise."""
    runs = np.repeat(np.arange(n_runs), n_per_run)
    stimuli = rng.integers(0, 2, (len(runs), n_pixels))
    weights = rng.normal(size=(n_pixels, n_voxels)) * (rng.random((n_pixels, n_voxels)) < 0.2)
    return Samples.from_arrays(stimuli, signal * stimuli @ weights + rng.normal(size=(len(runs), n_voxels)), runs)


def test_a_trial_is_one_stimulus_in_one_run():
    """Rest is left out; the same stimulus again is a trial of its own after rest, and in the next run."""
    a, b, rest = [0, 1], [1, 0], [-1, -1]
    stimuli = [rest, a, a, b, rest, b, b, b, a, a, a, rest]
    trials = vw.average_trials(Samples.from_arrays(stimuli, np.arange(12.0)[:, np.newaxis] ** 2, [0] * 9 + [1] * 3))
    np.testing.assert_array_equal(trials.stimuli, [a, b, b, a, a])
    np.testing.assert_allclose(trials.responses[:, 0], [2.5, 9, (25 + 36 + 49) / 3, 64, (81 + 100) / 2])
    np.testing.assert_array_equal(trials.runs, [0, 0, 0, 0, 1])
    with pytest.raises(vw.RecordingError, match="only rest"):
        vw.average_trials(Samples.from_arrays(-np.ones((9, 4)), np.zeros((9, 2)), np.zeros(9)))


def test_correlations_are_those_of_scikit_learns_ridge():
    trials = make_trials(np.random.default_rng(0), signal=0.3)
    models = fit_without_each_fold(trials, 30, 5.0, 3)
    found = identify(trials, models)
    np.testing.assert_array_equal(found.candidates[found.right], trials.stimuli)
    for rows, model in models:
        train = trials.take(np.setdiff1d(np.arange(len(trials.runs)), rows), model.voxels)
        x, y = train.stimuli, train.responses.astype(float)
        predicted = Ridge(5.0).fit(x, y).predict(found.candidates) - y.mean(axis=0)
        measured = trials.responses[rows][:, model.voxels] - y.mean(axis=0)
        expected = np.corrcoef(measured, predicted)[: len(rows), len(rows) :]
        np.testing.assert_allclose(found.correlations[rows], expected, atol=1e-5)
    silent = dataclasses.replace(model, weights=0 * model.weights, mean_pattern=np.zeros(30))
    assert not identify(trials, silent).correlations.any(), "a pattern that does not vary"


def test_accuracy_is_that_of_all_possible_draws():
    """The right stimulus is the first of seven; in the last trial it ties with all."""
    ranks = [1, 1, 2, 4, 7]
    correlations = np.array([[0.5, *[0.9] * (rank - 1), *[0.1] * (7 - rank)] for rank in ranks] + [[0.5] * 7])
    found = vw.Identification(np.arange(7)[:, np.newaxis], np.zeros(6, int), correlations)
    np.testing.assert_array_equal(found.ranks, [*ranks, 7])
    for n in range(1, 8):
        draws = list(itertools.combinations(range(1, 7), n - 1))
        wins = [(of_one[list(drawn)] < of_one[0]).all() for of_one in found.correlations for drawn in draws]
        assert found.accuracy(n) == pytest.approx(np.mean(wins))
    with pytest.raises(ValueError, match="n=8: there are 7 candidates"):
        found.accuracy(8)


def test_noise_is_decoded_at_chance():
    """600 trials of 16 pixels: within four standard deviations, if they were independent."""
    variances = np.array([1 / 12, 0.1 * 0.9, 0.25 / 16]) / 600  # that of a rank's share is 1/12
    scores = []
    for seed in range(5):
        trials = make_trials(np.random.default_rng(seed))
        models = fit_without_each_fold(trials, 40, 10.0, 6)
        found, drawn = identify(trials, models), reconstruct(trials, models)
        scores.append([found.accuracy(2), found.accuracy(10), score_pixels(trials.stimuli, drawn)["accuracy"]])
    assert (np.abs(np.mean(scores, axis=0) - [0.5, 0.1, 0.5]) < 4 * np.sqrt(variances)).all()


def test_noise_is_that_with_which_held_out_stimuli_come_back_best():
    """Each way to shrink the covariance of what held-out trials leave is tried on each fold, in a plain loop."""
    trials, voxels, folds = make_trials(np.random.default_rng(0), signal=0.5), np.arange(5, 200, 3), vw.RunKFold(3)
    model = fit_patterns(trials, voxels, 7.0, 3)
    x, y = trials.stimuli.astype(float), trials.responses[:, voxels].astype(float)
    assert model.pixel_mean == pytest.approx(x.mean()) and model.pixel_variance == pytest.approx(x.var())

    left = y - plain_loop(trials.take(voxels=voxels), Ridge(7.0), folds)[1]

    def shrunk(left, shrinkage):
        return np.cov(left.T) * np.where(np.eye(len(voxels)), 1, 1 - shrinkage)

    errors = dict.fromkeys(patterns.SHRINKAGES, 0)
    for train, test in folds.split(x, groups=trials.runs):
        fold, held_out = Ridge(7.0).fit(x[train], y[train]), trials.take(rows=test)
        means = dict(weights=fold.coef_.T, mean_stimulus=0, mean_pattern=fold.intercept_)
        for shrinkage in errors:
            some = dataclasses.replace(model, noise=shrunk(left[train], shrinkage), **means)
            errors[shrinkage] += np.square(reconstruct(held_out, some) - x[test]).sum()
    best = min(errors, key=errors.get)
    assert 0.02 < best < 0.9, "neither end of the range"
    np.testing.assert_allclose(model.noise, shrunk(left, best), rtol=1e-4, atol=1e-5)


def test_pixel_scores_by_hand():
    seen = np.array([[1, 1, 0, 0], [0, 1, 0, 0]])
    drawn = np.array([[0.9, 0.2, 0.5, 0.6], [0.5, 1.7, 0.1, 0.4]])  # 2 hits, 1 miss, 1 false alarm, 4 correct blacks
    assert score_pixels(seen, drawn) == pytest.approx(dict(accuracy=6 / 8, precision=2 / 3, recall=2 / 3, f1=2 / 3))
    macro = score_pixels(seen, drawn, average="macro")  # by pixel: precisions of 1, 1, 0, 0, recalls of 1, 1/2, 0, 0
    assert macro == pytest.approx(dict(accuracy=6 / 8, precision=1 / 2, recall=3 / 8, f1=5 / 12))
    with pytest.raises(ValueError, match="n_stimuli, n_pixels"):
        score_pixels(seen, drawn.T)


def test_the_best_voxels_are_those_with_signal_and_what_cannot_be_decoded_is_refused():
    trials, good = make_trials(np.random.default_rng(0), n_voxels=20), [3, 7, 10, 11]
    trials.responses[:, good] += 4 * trials.stimuli[:, :4]
    trials.responses[:, 0] = 0  # never changes
    np.testing.assert_array_equal(vw.best_voxels(trials, 4, 10.0, 6), good)
    np.testing.assert_array_equal(vw.best_voxels(trials, 1000, 100.0, 20), np.arange(20))
    with pytest.raises(ValueError, match="not among the candidates"):
        identify(trials, fit_patterns(trials, np.arange(20), 1.0), trials.stimuli[:5])
    with pytest.raises(ValueError, match="model"):
        reconstruct(trials, fit_without_each_fold(trials, 9, 100.0, 3)[1:])  # the first fold has none


def test_zeros_of_either_sign_are_one_and_what_no_voxel_or_pixel_tells_has_no_say():
    trials = make_trials(np.random.default_rng(0), 1.0, n_pixels=4, n_voxels=5)
    trials = dataclasses.replace(trials, stimuli=-trials.stimuli, stimulus_shape=(2, 2))
    assert identify(trials, fit_patterns(trials, range(5), 1.0), trials.stimuli + 0).right.min() >= 0
    fields = pd.DataFrame(dict(row=[0.5] * 4 + [np.nan], column=0.5, size=1.0))
    assert not fit_patterns(trials, range(5), fields=fields).weights[:, 4].any()
    dull = dataclasses.replace(trials, stimuli=trials.stimuli * [0, 1, 1, 1] + [0.5, 0, 0, 0])
    assert np.isfinite(vw.decode_patches(dull, dull)).all()


def test_patches_are_put_together_as_in_nilearns_example():
    """Of 3 x 4 pixels; the matrices and the pipeline of the example, with the 15 voxels with the largest F."""
    trials = make_trials(np.random.default_rng(0), signal=1.0, n_pixels=12, n_voxels=30)
    trials = dataclasses.replace(trials, stimulus_shape=(3, 4))
    train, test = trials.take(rows=trials.runs < 5), trials.take(rows=trials.runs == 5)
    down, across = ((np.eye(n - 1, n) + np.eye(n - 1, n, k=1)) / 2 for n in (3, 4))
    back_up, back_across = (mean.T / mean.T.sum(axis=1, keepdims=True) for mean in (down, across))
    decoder = make_pipeline(StandardScaler(), SelectKBest(k=15), OrthogonalMatchingPursuit(n_nonzero_coefs=10))
    expected = np.zeros((20, 3, 4))
    rows, columns = [(np.eye(3), np.eye(3)), (down, back_up)], [(np.eye(4), np.eye(4)), (across, back_across)]
    for (a, back_a), (b, back_b) in itertools.product(rows, columns):
        patches = a @ train.stimuli.reshape(-1, 3, 4) @ b.T
        read = [decoder.fit(train.responses, means).predict(test.responses) for means in patches.reshape(100, -1).T]
        expected += back_a @ np.transpose(read).reshape(20, *patches.shape[1:]) @ back_b.T / 4
    np.testing.assert_allclose(vw.decode_patches(train, test, n_voxels=15), expected.reshape(20, -1), atol=1e-3)


T_R, N_VOLUMES, STEP = 2.0, 120, 0.02


def put_together(events, strengths, baseline):
    """Boxes of some duration through a haemodynamic response, in steps of 20 ms; the middle of each volume is kept."""
    since = np.arange(0, N_VOLUMES * T_R, STEP)[:, np.newaxis] - events["onset"].to_numpy()
    on = ((since >= 0) & (since < events["duration"].to_numpy())).astype(float)
    response = spm_hrf(T_R, oversampling=round(T_R / STEP))
    course = np.stack([np.convolve(each, response)[: len(each)] for each in on.T], axis=1)
    middle = np.arange(N_VOLUMES) * round(T_R / STEP) + round(T_R / STEP / 2)
    return baseline * (1 + course[middle] @ strengths / 100)


def test_trials_of_any_duration_at_any_time_are_told_apart_and_from_all_else():
    """From drift, which confounds may hold, too, from a jerk of the head at each trial, and from two bright volumes."""
    rng = np.random.default_rng(0)
    onsets, durations = [10.3, 31.7, 36.2, 60, 64, 90.05, 130, 171.4], [6, 8, 3, 4, 4, 0.5, 12, 2]
    events = pd.DataFrame({"onset": onsets, "duration": durations})
    strengths, baseline = rng.normal(1, 1, (8, 5)), np.array([1000, 250, 3, 1e5, 700])
    drift = 0.02 * np.cos(np.pi * np.arange(N_VOLUMES) / N_VOLUMES)[:, np.newaxis]
    movement = rng.normal(size=(N_VOLUMES, 2))
    movement[np.round(events["onset"] / T_R).astype(int) + 2] += 5
    movement -= movement.mean(axis=0)
    clean = put_together(events, strengths, baseline)
    measured = clean + (drift + 0.03 * movement @ rng.normal(size=(2, 5))) * baseline
    measured[:2] *= 1.4
    cosines = create_cosine_drift(0.01, T_R * np.arange(N_VOLUMES))[:, :-1]
    options = dict(confounds=np.hstack([cosines, movement]), kept=np.arange(2, N_VOLUMES))
    found = vw.estimate_trials(measured, events, T_R, **options)
    assert found.shape == (8, 5) and found.dtype == np.float32
    np.testing.assert_allclose(found, strengths, atol=0.08)
    for name in options:
        fewer = {key: value for key, value in options.items() if key != name}
        assert abs(vw.estimate_trials(measured, events, T_R, **fewer) - strengths).max() > 1
    off = vw.estimate_trials(clean, events, T_R, slice_time_ref=0)
    assert abs(off - strengths).max() > 0.2, "half a volume matters"


def test_trials_that_cannot_be_told_are_refused_and_a_voxel_without_a_baseline_has_no_response():
    responses, events = np.ones((N_VOLUMES, 3)) * [0, -5, 7], pd.DataFrame({"onset": [20.0, 60.0], "duration": 4.0})
    np.testing.assert_allclose(vw.estimate_trials(responses, events, T_R), 0, atol=1e-5)
    for onset, change, told in (
        (60.0, dict(confounds=np.ones((N_VOLUMES, 1))), "do not tell 2 trials"),
        (60.0, dict(hrf_model="spm + derivative"), "hrf_model='spm"),
        (236.0, {}, "the event at 236 s has [0-9.]+% of its response"),
        (0.0, dict(kept=np.arange(15, N_VOLUMES)), "the event at 0 s has 0.[0-9]% of its response"),
        (250.0, {}, "the event at 250 s has 0.0% of its response"),
    ):
        with pytest.raises(ValueError, match=told):
            vw.estimate_trials(responses, events.assign(onset=[80.0, onset]), T_R, **change)


def test_too_little_rest_is_told_and_without_any_trials_are_averaged(small_folder):
    labels = {path: np.loadtxt(path, delimiter=",", dtype=int) for path in (small_folder / "label").iterdir()}
    recording = vw.load_recording(small_folder)
    for n_rest in (1, 0):
        for path, rows in labels.items():
            rest = np.arange(len(rows))[:, np.newaxis] < n_rest
            np.savetxt(path, np.where(rest, -1, abs(rows)), fmt="%d", delimiter=",")
        if n_rest:
            with pytest.raises(vw.RecordingError, match=r"run\d.nii.gz: \d+ volumes do not tell"):
                vw.load_trials(recording)
    found, expected = vw.load_trials(recording, lag=1), vw.average_trials(vw.load_samples(recording, lag=1))
    np.testing.assert_array_equal(found.responses, expected.responses)
