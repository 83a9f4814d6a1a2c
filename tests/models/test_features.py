"""Other codings of rest and other lags, against plain loops and against what was put into small recordings."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold

from voxelwise import (
    CODINGS,
    RecordingError,
    Samples,
    cross_validate_ridge,
    fit_receptive_fields,
    load_recording,
    load_samples,
    recode,
    search_alpha,
    true_fields,
    true_parts,
    true_time_course,
    whole_run_folds,
    with_delays,
)
from voxelwise.features import ON
from voxelwise.simulation.cortex import MARKED_COLUMNS
from voxelwise.simulation.responses import drive_voxels

N_PIXELS = 16


def made_samples(weights, on, course, rng, noise=1.0, n_runs=12, n_volumes=100, autocorrelation=0.0):
    """A small experiment at lag 0: images and rest take turns, three volumes each, and the answer is known.

    ``weights`` (n_pixels, n_voxels) and ``on`` (n_voxels) act through ``course``, a weight for each lag.
    """
    stimuli, responses = [], []
    for _ in range(n_runs):
        frames = np.full((n_volumes, len(weights)), -1.0)
        for first in range(4, n_volumes - 3, 6):
            frames[first : first + 3] = rng.integers(0, 2, len(weights))
        shown = frames[:, 0] >= 0
        drive = np.maximum(frames, 0) @ weights + shown[:, np.newaxis] * on
        innovations = rng.normal(0, noise, drive.shape)
        stimuli.append(frames)
        errors = lfilter([1.0], [1.0, -autocorrelation], innovations, axis=0)
        responses.append(lfilter(course, [1.0], drive, axis=0) + errors)
    runs = np.repeat(np.arange(n_runs), n_volumes)
    stimuli, responses = (np.concatenate(rows).astype(np.float32) for rows in (stimuli, responses))
    return Samples(stimuli, responses, runs, (4, len(weights) // 4), None)


def with_voxels(samples, voxels):
    return dataclasses.replace(samples, responses=samples.responses[:, voxels])


def mean_scores(samples, alpha=1.0, n_splits=4):
    return cross_validate_ridge(samples, alpha, n_splits).mean(axis=0)


# Codings


@pytest.fixture
def tiny():
    """An image, rest, an image that is black throughout."""
    stimuli = np.array([[0, 1, 1, 0], [-1, -1, -1, -1], [0, 0, 0, 0]], np.float32)
    return Samples(stimuli, np.zeros((3, 2), np.float32), np.zeros(3, int), (2, 2), None)


@pytest.mark.parametrize(
    ("coding", "expected", "shape"),
    [
        ("published", [[0, 1, 1, 0], [-1, -1, -1, -1], [0, 0, 0, 0]], (2, 2)),
        ("rest black", [[0, 1, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]], (2, 2)),
        ("on/off", [[ON], [0], [ON]], (1,)),
        ("on/off and pixels", [[ON, 0, 1, 1, 0], [0, 0, 0, 0, 0], [ON, 0, 0, 0, 0]], (5,)),
    ],
)
def test_each_coding_has_its_columns(tiny, coding, expected, shape):
    recoded = recode(tiny, coding)
    np.testing.assert_array_equal(recoded.stimuli, expected)
    assert recoded.stimuli.dtype == np.float32 and recoded.stimulus_shape == shape
    assert tiny.stimuli.min() == -1, "what went in stays as it is"


def test_an_unknown_coding_is_refused(tiny):
    with pytest.raises(RecordingError, match='No coding "on-off": expected one of "published".*"on/off and pixels"'):
        recode(tiny, "on-off")


def test_the_published_coding_ties_on_off_to_the_sum_of_the_weights():
    """The identity that the chapter states: same predictions from black rest, on/off and a constant."""
    rng = np.random.default_rng(0)
    samples = made_samples(np.zeros((N_PIXELS, 1)), 0, [1.0], rng, n_runs=2)
    weights = rng.normal(size=N_PIXELS)
    both = recode(samples, "on/off and pixels").stimuli
    tied = both @ [weights.sum() / ON, *weights] - weights.sum()
    np.testing.assert_allclose(samples.stimuli @ weights, tied, atol=1e-4)


@pytest.mark.parametrize("coding", ["on/off", "on/off and pixels"])
def test_the_penalty_hardly_shrinks_on_off(coding):
    """A voxel that answers only to on/off is predicted as by least squares; the penalty silences the pixels."""
    rng = np.random.default_rng(1)
    samples = made_samples(np.zeros((N_PIXELS, 3)), [0.5, 1, 2], [1.0], rng)
    shown, y = recode(samples, "on/off").stimuli, samples.responses
    expected = 0
    for test in whole_run_folds(samples.runs, 4):
        model = LinearRegression().fit(np.delete(shown, test, 0), np.delete(y, test, 0))
        expected = expected + r2_score(y[test], model.predict(shown[test]), multioutput="raw_values") / 4
    assert expected.min() > 0.03
    np.testing.assert_allclose(mean_scores(recode(samples, coding), alpha=1e4), expected, atol=2e-3)


def test_without_rest_on_off_explains_nothing_and_changes_nothing():
    rng = np.random.default_rng(2)
    stimuli = rng.random((400, N_PIXELS)).astype(np.float32)
    responses = (stimuli @ rng.normal(size=(N_PIXELS, 5)) + rng.normal(size=(400, 5))).astype(np.float32)
    samples = Samples(stimuli, responses, np.repeat(np.arange(4), 100), (4, 4), None)
    scores = {coding: mean_scores(recode(samples, coding)) for coding in CODINGS}
    assert (scores["on/off"] <= 0).all() and scores["published"].min() > 0.1
    np.testing.assert_allclose(scores["rest black"], scores["published"], atol=1e-9)
    np.testing.assert_allclose(scores["on/off and pixels"], scores["published"], atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_share_of_the_pattern_is_recovered(seed):
    """Voxels that answer to on/off only, to the pattern only, to both and to nothing; in all of them R2 adds up."""
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(N_PIXELS, 4)) * [0, 0.7, 0.7, 0]
    # Any image has on average half its pixels white: that much of the pattern's answer is an answer to any image.
    on = np.array([1.5, 0, 1.5, 0]) - weights.sum(axis=0) / 2
    samples = made_samples(weights, on, [1.0], rng, n_runs=40)
    found_on = mean_scores(recode(samples, "on/off"))
    found_pattern = mean_scores(recode(samples, "on/off and pixels")) - found_on

    shown = (samples.stimuli[:, 0] >= 0).astype(float)
    seen = np.maximum(samples.stimuli, 0) @ weights
    for voxel, y in enumerate(samples.responses.T):
        perfect = np.column_stack([shown, seen[:, voxel]])  # what a voxel saw of each image, and whether there was one
        true_on, true_both = (LinearRegression().fit(x, y).score(x, y) for x in (perfect[:, :1], perfect))
        assert found_on[voxel] == pytest.approx(true_on, abs=0.02)
        assert found_pattern[voxel] == pytest.approx(true_both - true_on, abs=0.02)
        assert (true_on > 0.2) == (voxel in (0, 2)) and (true_both - true_on > 0.15) == (voxel in (1, 2))


def test_published_pixels_win_their_score_by_on_off():
    """A voxel that sees no pattern scores as well as on/off: the score alone does not tell."""
    rng = np.random.default_rng(3)
    samples = made_samples(np.zeros((N_PIXELS, 1)), [2.0], [1.0], rng)
    scores = {coding: mean_scores(recode(samples, coding))[0] for coding in CODINGS}
    assert scores["published"] > 0.9 * scores["on/off"] > 0.3
    assert scores["rest black"] < scores["published"] - 0.02
    assert abs(scores["on/off and pixels"] - scores["on/off"]) < 0.02


def test_fields_of_other_codings_have_their_shape():
    rng = np.random.default_rng(4)
    weights = np.zeros((N_PIXELS, 1))
    weights[5] = 2
    samples = made_samples(weights, [1.0], [1.0], rng)
    both = fit_receptive_fields(recode(samples, "on/off and pixels"))
    assert both.shape == (1, 1 + N_PIXELS)
    assert both[0, 1:].argmax() == 5 and both[0, 6] == pytest.approx(2, abs=0.3)
    several = fit_receptive_fields(with_delays(samples, [0, 3]))
    assert several.shape == (1, 2, 4, 4)
    assert np.unravel_index(several[0].argmax(), (2, 4, 4)) == (0, 1, 1)


# Lags


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_one_lag_is_what_the_loader_pairs(small_folder, lag):
    """Runs of different length."""
    recording = load_recording(small_folder)
    loaded, shifted = load_samples(recording, lag=lag), with_delays(load_samples(recording, lag=0), [lag])
    for name in ("stimuli", "responses", "runs"):
        np.testing.assert_array_equal(getattr(shifted, name), getattr(loaded, name))
    assert shifted.stimulus_shape == loaded.stimulus_shape


def test_each_row_holds_the_images_before_it_and_none_of_another_run(small_folder):
    samples = load_samples(load_recording(small_folder), lag=0)
    lags = [0, 2, 3]
    shifted = with_delays(samples, lags, max_lag=4)
    assert shifted.stimulus_shape == (3, 4, 4)
    images = shifted.stimuli.reshape(-1, *shifted.stimulus_shape)
    number = 0
    for run in range(4):
        stimuli, responses = (values[samples.runs == run] for values in (samples.stimuli, samples.responses))
        for volume in range(4, len(stimuli)):
            assert shifted.runs[number] == run
            np.testing.assert_array_equal(shifted.responses[number], responses[volume])
            for image, lag in zip(images[number], lags, strict=True):
                np.testing.assert_array_equal(image.ravel(), stimuli[volume - lag])
            number += 1
    assert number == len(shifted.runs)


def test_different_lags_are_scored_on_the_same_responses(small_folder):
    samples = load_samples(load_recording(small_folder), lag=0)
    first, *others = [with_delays(samples, [lag], max_lag=5) for lag in range(6)] + [with_delays(samples, range(6))]
    for other in others:
        np.testing.assert_array_equal(other.responses, first.responses)
        np.testing.assert_array_equal(other.runs, first.runs)


@pytest.mark.parametrize(
    ("lags", "max_lag"), [([], None), ([-1], None), ([1.5], None), ([3], 2), ([0], 23), ([23], None), ([0, 30], None)]
)
def test_lags_that_do_not_fit_are_refused(small_folder, lags, max_lag):
    """The shortest run has 24 volumes."""
    samples = load_samples(load_recording(small_folder), lag=0)
    assert len(with_delays(samples, [22]).runs) == 8 + 2 + 14 + 8
    with pytest.raises(RecordingError, match=r"expected whole numbers from 0 to max_lag, and max_lag up to 22"):
        with_delays(samples, lags, max_lag)


@pytest.mark.parametrize("true_lag", [0, 1, 3, 5])
def test_a_known_lag_is_recovered(true_lag):
    rng = np.random.default_rng(true_lag)
    course = np.eye(6)[true_lag]
    samples = made_samples(rng.normal(size=(N_PIXELS, 8)), np.ones(8), course, rng, noise=3.0)
    by_lag = [mean_scores(with_delays(samples, [lag], max_lag=5)) for lag in range(6)]
    assert (np.argmax(by_lag, axis=0) == true_lag).all()


def test_all_lags_together_predict_a_slow_response_and_show_its_course():
    """The first singular vectors of the weights are the course and the field that were put in."""
    rng = np.random.default_rng(5)
    course = np.array([0.05, 0.25, 0.4, 0.2, 0.1, -0.1])
    weights = rng.normal(size=(N_PIXELS, 3))
    samples = made_samples(weights, [1, 0, -1], course, rng, noise=0.3, n_runs=20)
    together = mean_scores(with_delays(samples, range(6)))
    best_single = np.max([mean_scores(with_delays(samples, [lag], max_lag=5)) for lag in range(6)], axis=0)
    assert (together > best_single + 0.05).all()

    fir = with_delays(recode(samples, "on/off and pixels"), range(6))
    fitted = Ridge(1.0).fit(fir.stimuli.astype(float), fir.responses).coef_.reshape(3, *fir.stimulus_shape)[:, :, 1:]
    for voxel, truth in zip(fitted, weights.T, strict=True):
        u, _, v = np.linalg.svd(voxel)
        assert abs(np.corrcoef(u[:, 0], course)[0, 1]) > 0.98
        assert abs(np.corrcoef(v[0], truth)[0, 1]) > 0.98


def test_scores_of_all_lags_equal_a_plain_loop(small_folder):
    """GroupKFold draws other folds, so each run is a fold of its own."""
    fir = with_delays(load_samples(load_recording(small_folder), lag=0), range(4))
    expected = {}
    for train, test in GroupKFold(4).split(fir.stimuli, groups=fir.runs):
        predicted = Ridge(10.0).fit(fir.stimuli[train], fir.responses[train]).predict(fir.stimuli[test])
        expected[fir.runs[test[0]]] = r2_score(fir.responses[test], predicted, multioutput="raw_values")
    expected = [expected[run] for run in range(4)]
    np.testing.assert_allclose(cross_validate_ridge(fir, 10.0, 4), expected, atol=1e-4)


# Leaks


def test_overlapping_windows_leak_only_where_runs_are_cut():
    """Rows of neighbouring volumes share images and noise. Planted: folds of single volumes. The book's: whole runs."""
    rng = np.random.default_rng(6)
    samples = made_samples(np.zeros((64, 30)), np.zeros(30), [1.0], rng, n_runs=4, autocorrelation=0.95)
    fir = with_delays(samples, range(6))
    leaking = dataclasses.replace(fir, runs=np.arange(len(fir.runs)) % 4)
    assert mean_scores(leaking, 10.0).mean() > 0.4
    assert mean_scores(fir, 10.0).mean() < 0


def test_voxels_chosen_at_one_lag_favour_it_and_those_chosen_at_any_do_not():
    """Voxels that answer nothing. Planted: the best at lag 2, compared over lags. The chapter's: the best at any lag."""
    rng = np.random.default_rng(7)
    samples = made_samples(np.zeros((N_PIXELS, 1500)), np.zeros(1500), [1.0], rng, n_runs=8)
    by_lag = np.array([mean_scores(with_delays(samples, [lag], max_lag=5), alpha=100.0) for lag in range(6)])

    def lead_of_lag_2(chosen_by):
        best = np.argsort(chosen_by)[-150:]
        curve = by_lag[:, best].mean(axis=1)
        return curve[2] - np.delete(curve, 2).max()

    planted, own = lead_of_lag_2(by_lag[2]), lead_of_lag_2(by_lag.max(axis=0))
    assert planted > 0.005
    assert own < 0.2 * planted


# The simulated recording


def test_true_parts_are_those_of_a_regression_on_what_the_voxel_saw(recording):
    """Least squares on the noise-free signal, voxel by voxel."""
    runs = images_of(recording)
    truth = recording.truth
    voxels = [*MARKED_COLUMNS, *np.flatnonzero(truth["gain"] > 0)[::400]]
    some = truth.iloc[voxels]
    fields = true_fields(some).reshape(len(some), -1)
    signal, seen, on = [], [], []
    for frames in runs:
        early = frames[:-2]
        values = drive_voxels(frames, some, fields)[2:], (early == 1).reshape(-1, 100) @ fields.T, early[:, 0, 0] != -1
        for part, value in zip((signal, seen, on), values, strict=True):
            part.append(value - value.mean(axis=0))
    signal, seen, on = map(np.concatenate, (signal, seen, on))
    parts = true_parts(recording, lag=2)
    for column, voxel in enumerate(voxels):
        y = signal[:, column]
        alone = LinearRegression().fit(on[:, np.newaxis], y).score(on[:, np.newaxis], y)
        x = np.column_stack([on, seen[:, column]])
        assert parts["on/off"][voxel] == pytest.approx(alone, abs=1e-6)
        assert parts["pattern"][voxel] == pytest.approx(LinearRegression().fit(x, y).score(x, y) - alone, abs=1e-6)
    assert parts[truth["gain"] == 0].isna().all(axis=None) and parts[truth["gain"] > 0].notna().all(axis=None)


def images_of(recording):
    """The images of the random runs, from the labels as they lie on disk."""
    rows = [np.loadtxt(path, delimiter=",", dtype=int) for path in recording.label["random"]]
    return [run.reshape(-1, 10, 10).transpose(0, 2, 1) for run in rows]


def test_the_simulated_parts_are_found(recording, samples, scores):
    """On/off as a perfect model finds it; the pattern too small by what learning its weights costs."""
    good = np.flatnonzero(scores > 0.1)[::4]
    some = with_voxels(samples, good)
    on = mean_scores(recode(some, "on/off"), 100.0, 10)
    pattern = mean_scores(recode(some, "on/off and pixels"), 100.0, 10) - on
    possible = true_parts(recording).iloc[good].mul(recording.truth["share"].iloc[good], axis=0)
    assert abs(np.median(on - possible["on/off"])) < 0.02
    lost = possible["pattern"] - pattern
    assert 0 < lost.median() < 0.06 and lost.std() < 0.03
    assert np.corrcoef(pattern, possible["pattern"])[0, 1] > 0.9


def test_a_chosen_penalty_finds_more_of_the_pattern_and_not_more_than_there_is(recording, samples, scores):
    good = np.flatnonzero(scores > 0.1)[::8]
    both = recode(with_voxels(samples, good), "on/off and pixels")
    on = mean_scores(recode(with_voxels(samples, good), "on/off"), 100.0, 10).sum()
    fixed = mean_scores(both, 100.0, 10).sum() - on
    chosen = search_alpha(both, np.geomspace(10, 1e5, 7)).scores.mean(axis=0).sum() - on
    possible = true_parts(recording).iloc[good].mul(recording.truth["share"].iloc[good], axis=0)["pattern"].sum()
    assert fixed < 0 < 0.25 * possible < chosen < possible


def test_the_true_course_rises_and_falls():
    course = true_time_course(16)
    assert course.sum() == pytest.approx(1, abs=1e-6) and course.argmax() == 2
    assert course[0] < 0.1 and course[8:].max() < 0
