"""Other codings of rest and other lags, against plain loops and against what was put into small recordings."""

import numpy as np
import pytest
from scipy.signal import lfilter
from sklearn.linear_model import LinearRegression

from tests.models.conftest import plain_loop, with_voxels
from voxelwise import (
    RunKFold,
    Samples,
    cross_validate_ridge,
    load_recording,
    load_samples,
    recode,
    search_alpha,
    true_fields,
    true_parts,
    true_time_course,
    with_delays,
)
from voxelwise.features import ON
from voxelwise.simulation.cortex import MARKED_COLUMNS
from voxelwise.simulation.responses import drive_voxels

N_PIXELS = 16


def made_samples(weights, on, course, rng, noise=1.0, n_runs=12, n_volumes=100):
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
        stimuli.append(frames)
        responses.append(lfilter(course, [1.0], drive, axis=0) + rng.normal(0, noise, drive.shape))
    runs = np.repeat(np.arange(n_runs), n_volumes)
    stimuli, responses = (np.concatenate(rows).astype(np.float32) for rows in (stimuli, responses))
    return Samples(stimuli, responses, runs, (4, len(weights) // 4), None)


def mean_scores(samples, alpha=1.0, cv=4):
    return cross_validate_ridge(samples, alpha, cv).mean(axis=0)


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
    with pytest.raises(ValueError, match=r'No coding "on-off": expected one of "published".*"on/off and pixels"'):
        recode(tiny, "on-off")


@pytest.mark.parametrize("coding", ["on/off", "on/off and pixels"])
def test_the_penalty_hardly_shrinks_on_off(coding):
    """A voxel that answers only to on/off is predicted as by least squares; the penalty silences the pixels."""
    rng = np.random.default_rng(1)
    samples = made_samples(np.zeros((N_PIXELS, 3)), [0.5, 1, 2], [1.0], rng)
    splits = RunKFold(4).split(groups=samples.runs)
    expected = plain_loop(recode(samples, "on/off"), LinearRegression(), splits)[0].mean(axis=0)
    assert expected.min() > 0.03
    np.testing.assert_allclose(mean_scores(recode(samples, coding), alpha=1e4), expected, atol=2e-3)


def test_the_share_of_the_pattern_is_recovered():
    """Voxels that answer to on/off only, to the pattern only, to both and to nothing; in all of them R2 adds up."""
    rng = np.random.default_rng(0)
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


# Lags


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_one_lag_is_what_the_loader_pairs(small_folder, lag):
    """Runs of different length."""
    recording = load_recording(small_folder)
    loaded, shifted = load_samples(recording, lag=lag), with_delays(load_samples(recording, lag=0), [lag])
    for name in ("stimuli", "responses", "runs"):
        np.testing.assert_array_equal(getattr(shifted, name), getattr(loaded, name))
    assert shifted.stimulus_shape == loaded.stimulus_shape


def test_each_row_holds_the_stimuli_before_it_and_none_of_another_run(small_samples):
    """Other lags are scored on the same responses."""
    lags, number = [0, 2, 3], 0
    shifted, other = (with_delays(small_samples, some, max_lag=4) for some in (lags, [1]))
    assert shifted.stimulus_shape == (3, 4, 4)
    for rows in small_samples.run_rows:
        for row in rows[4:]:
            assert shifted.runs[number] == small_samples.runs[row]
            np.testing.assert_array_equal(shifted.responses[number], small_samples.responses[row])
            np.testing.assert_array_equal(
                shifted.stimuli[number].reshape(3, -1), [small_samples.stimuli[row - lag] for lag in lags]
            )
            number += 1
    assert number == len(shifted.runs)
    np.testing.assert_array_equal(other.responses, shifted.responses)


@pytest.mark.parametrize(
    ("lags", "max_lag"), [([], None), ([-1], None), ([1.5], None), ([3], 2), ([0], 23), ([23], None), ([0, 30], None)]
)
def test_lags_that_do_not_fit_are_refused(small_samples, lags, max_lag):
    """The shortest run has 24 volumes."""
    assert len(with_delays(small_samples, [22]).runs) == 8 + 2 + 14 + 8
    with pytest.raises(ValueError, match=r"lags.*expected (a )?whole number"):
        with_delays(small_samples, lags, max_lag)


@pytest.mark.parametrize("true_lag", [0, 3])
def test_a_known_lag_is_recovered(true_lag):
    rng = np.random.default_rng(true_lag)
    course = np.eye(6)[true_lag]
    samples = made_samples(rng.normal(size=(N_PIXELS, 8)), np.ones(8), course, rng, noise=3.0)
    by_lag = [mean_scores(with_delays(samples, [lag], max_lag=5)) for lag in range(6)]
    assert (np.argmax(by_lag, axis=0) == true_lag).all()


# The simulated recording


@pytest.fixture(scope="module")
def screen(recording):
    """The stimuli of the random runs, from the labels as they lie on disk."""
    rows = [np.loadtxt(path, delimiter=",", dtype=np.float32) for path in recording.label["random"]]
    return [run.reshape(-1, 10, 10).transpose(0, 2, 1) for run in rows]


def test_true_parts_are_those_of_a_regression_on_what_the_voxel_saw(recording, screen):
    """Least squares on the noise-free signal, voxel by voxel."""
    truth = recording.truth
    voxels = [*MARKED_COLUMNS, *np.flatnonzero(truth["gain"] > 0)[::400]]
    some = truth.iloc[voxels]
    fields = true_fields(some).reshape(len(some), -1)
    columns = []  # of each run: signals, what each voxel saw, whether there was anything
    for frames in screen:
        early = frames[:-2]
        seen, on = (early == 1).reshape(-1, 100) @ fields.T, early[:, 0, :1] != -1
        run = np.hstack([drive_voxels(frames, some, fields)[2:], seen, on])
        columns.append(run - run.mean(axis=0))
    *columns, on = np.concatenate(columns).T[..., np.newaxis]
    parts = true_parts(truth, screen, lag=2)
    for voxel, y, seen in zip(voxels, columns[: len(voxels)], columns[len(voxels) :], strict=True):
        alone = LinearRegression().fit(on, y).score(on, y)
        both = np.hstack([on, seen])
        assert parts["on/off"][voxel] == pytest.approx(alone, abs=1e-6)
        assert parts["pattern"][voxel] == pytest.approx(
            LinearRegression().fit(both, y).score(both, y) - alone, abs=1e-6
        )
    assert parts[truth["gain"] == 0].isna().all(axis=None) and parts[truth["gain"] > 0].notna().all(axis=None)


def test_the_simulated_parts_are_found(recording, screen, samples, scores):
    """On/off as a perfect model finds it; the pattern too small by what learning its weights costs.

    A chosen penalty finds more of the pattern than a fixed one that is too small, and not more than there is.
    """
    good = np.flatnonzero(scores > 0.1)[::8]
    some = with_voxels(samples, good)
    both = recode(some, "on/off and pixels")
    on = mean_scores(recode(some, "on/off"), 100.0, 10)
    pattern = mean_scores(both, 100.0, 10) - on
    possible = true_parts(recording.truth, screen).iloc[good].mul(recording.truth["share"].iloc[good], axis=0)
    assert abs(np.median(on - possible["on/off"])) < 0.02
    lost = possible["pattern"] - pattern
    assert 0 < lost.median() < 0.06 and lost.std() < 0.03
    assert np.corrcoef(pattern, possible["pattern"])[0, 1] > 0.9
    chosen = (search_alpha(both, np.geomspace(10, 1e5, 7)).scores.mean(axis=0) - on).sum()
    assert pattern.sum() < 0 < 0.25 * possible["pattern"].sum() < chosen < possible["pattern"].sum()


def test_the_true_course_rises_and_falls():
    course = true_time_course(16)
    assert course.sum() == pytest.approx(1, abs=1e-6) and course.argmax() == 2
    assert course[0] < 0.1 and course[8:].max() < 0
