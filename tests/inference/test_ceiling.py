"""The noise ceiling, against its formula in loops, a closed form, and the known truth of simulated runs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.signal import lfilter
from scipy.stats import t

import voxelwise as vw
from voxelwise import RecordingError, Samples, find_repeats, find_trials, noise_ceiling


def by_hand(y, trials, pattern):
    """Ceiling and error of a voxel's responses from the formulas, sample by sample, and which samples count."""
    run, moment = trials["run"].to_numpy(), trials[["stimulus", "volume", "rest"]].to_numpy(int)
    partners = np.array([(moment == moment[row]).all(axis=1) & (run != run[row]) for row in range(len(y))])
    counts = partners.any(axis=1) & (moment[:, 0] >= 0)
    trials, partners = trials[counts], partners[counts][:, counts]
    y = pd.Series(y[counts], trials.index, float)
    z = y = y - y.groupby(trials["run"]).transform("mean")
    if pattern:
        z = y - y.groupby([trials["run"], trials["volume"], trials["rest"]]).transform("mean")
    products, stimulus = z * [z[others].mean() for others in partners], trials["stimulus"]
    some = [stimulus >= 0, *(stimulus != each for each in stimulus.unique())]  # all, and all but one
    whole, *without = (products[rows].sum() / (y[rows] ** 2).sum() for rows in some)
    return whole, np.linalg.norm(np.array(without) - whole), counts


def test_a_trial_goes_on_until_the_next_stimulus():
    a, b, rest = [1, 1], [0, 1], [-1, -1]
    stimuli = [rest, a, a, rest, b, b, b, b, a, a, rest, rest]
    samples = Samples.from_arrays(stimuli, np.zeros((12, 1)), [0] * 6 + [1] * 6)
    run, trial, stimulus, volume, at_rest = find_trials(samples).T.to_numpy().tolist()
    assert trial == [0, 1, 1, 1, 2, 2, 3, 3, 4, 4, 4, 4] and run == [0] * 6 + [1] * 6
    assert volume == [0, 0, 1, 2, 0, 1, 0, 1, 0, 1, 2, 3] and np.flatnonzero(at_rest).tolist() == [0, 3, 10, 11]
    a, b = stimulus[1], stimulus[4]
    assert stimulus == [-1, a, a, a, b, b, b, b, a, a, a, a] and a != b and min(a, b) >= 0


def test_sums_equal_the_formulas():
    """Runs of any order and length, trials too, with rest between some; one stimulus is in one run only."""
    rng, pictures = np.random.default_rng(0), np.vstack([np.eye(5), -np.ones(5)])
    orders = [[*rng.integers(-1, 4, 9), *[4] * (number == 2)] for number in range(4)]
    shown = [np.repeat(order, rng.integers(1, 4, len(order))) for order in orders]
    stimuli = pictures[np.concatenate(shown)]
    responses = rng.normal(size=(len(stimuli), 3)) + 2 * stimuli[:, :1]
    samples = Samples.from_arrays(stimuli, responses, np.repeat(range(4), list(map(len, shown))))
    found, trials = noise_ceiling(samples), find_trials(samples)
    for voxel, y in enumerate(samples.responses.T):
        for values, pattern in (((found.r2, found.error), False), ((found.pattern, found.pattern_error), True)):
            *expected, repeated = by_hand(y, trials, pattern)
            np.testing.assert_allclose([each[voxel] for each in values], expected, rtol=1e-6)
    np.testing.assert_array_equal(found.repeated, repeated)
    assert 0 < repeated.sum() < len(repeated) - 5
    samples.responses[:, 0], samples.responses[:, 1] = 0, 2.3
    assert not noise_ceiling(samples).r2[:2].any(), "what never changes has no ceiling"
    # By the name of the moment, whatever the features: the same sums. Unnamed samples have no say.
    moments = trials[["stimulus", "volume", "rest"]].itertuples(index=False, name=None)
    recoded = dataclasses.replace(samples, stimuli=rng.normal(size=(len(trials), 40)))
    named = noise_ceiling(recoded, stimuli=[None if moment[0] < 0 else moment for moment in moments])
    np.testing.assert_allclose(named.r2, noise_ceiling(samples).r2, rtol=1e-9)


COURSE = np.array([0.2, 0.7, 1, 0.9, 0.6, 0.2, -0.1, -0.2, -0.1, 0])


def repeat(rng, n_runs, shares, n_copies=400, n_stimuli=20):
    """Runs that show stimuli once, to voxels with these shares of signal, in autocorrelated noise.

    A voxel's response to a stimulus is the course times a strength, which is drawn anew for each copy of a voxel.
    """
    strength = rng.normal(1, 1, (n_stimuli, 1, n_copies * len(shares)))
    scale = 2 * (COURSE**2).mean() - COURSE.mean() ** 2  # variance over stimuli and volumes
    signal = strength * COURSE[:, np.newaxis] * np.sqrt(np.tile(shares, n_copies) / scale)
    orders = np.array([rng.permutation(n_stimuli) for _ in range(n_runs)])
    frames = np.full((n_stimuli, len(COURSE), n_stimuli), -1)
    frames[:, :4] = np.eye(n_stimuli)[:, np.newaxis]
    n_volumes = n_stimuli * len(COURSE)
    white = rng.normal(size=(n_runs, 50 + n_volumes, signal.shape[-1]))
    noise = lfilter([np.sqrt(1 - 0.4**2)], [1, -0.4], white, axis=1)[:, 50:]
    noise *= np.sqrt(1 - np.tile(shares, n_copies))
    responses = (signal[orders].reshape(noise.shape) + noise).reshape(-1, signal.shape[-1])
    return Samples.from_arrays(frames[orders].reshape(-1, n_stimuli), responses, np.repeat(range(n_runs), n_volumes))


@pytest.mark.parametrize("n_runs", [2, 4])
def test_it_is_unbiased_and_knows_its_error(n_runs):
    """Over 400 recordings of the same five voxels, whose stimuli are other ones each time."""
    shares = np.array([0, 0.05, 0.2, 0.4, 0.6])
    found = noise_ceiling(repeat(np.random.default_rng(n_runs), n_runs, shares))
    of_pattern = shares / (2 - COURSE.mean() ** 2 / (COURSE**2).mean()) * 19 / 20  # of the stimuli that are shown
    for true, value, error in ((shares, found.r2, found.error), (of_pattern, found.pattern, found.pattern_error)):
        off, error = value.reshape(400, -1) - true, error.reshape(400, -1)
        np.testing.assert_array_less(np.abs(off.mean(axis=0)), 4 * off.std(axis=0) / np.sqrt(400) + 0.01)
        assert 0.91 < (np.abs(off) < t.ppf(0.975, 19) * error).mean() < 0.97
        assert (off[:, 0] > 3 * error[:, 0]).mean() <= 0.01, "next to no silent voxel looks certain"
        assert (off[:, 0] < 0).mean() > 0.4, "a silent voxel is as often below 0 as above"


def test_repeats_within_a_run_and_the_mean_of_several():
    """The same trials as one long run; and the mean of n responses, whose noise is an nth of the variance."""
    shares = np.array([0, 0.2, 0.5])
    samples = repeat(np.random.default_rng(7), 6, shares)
    in_one = dataclasses.replace(samples, runs=np.zeros_like(samples.runs))
    found, within = noise_ceiling(samples), noise_ceiling(in_one, between="trial")
    np.testing.assert_allclose(within.r2.reshape(400, -1).mean(axis=0), shares, atol=0.02)
    expected = 3 * shares / (1 + 2 * shares)  # of the signal, 1, in noise of a third of the variance
    np.testing.assert_allclose(found.of_mean(3).reshape(400, -1).mean(axis=0), expected, atol=0.03)
    r2 = np.array([-0.9, -0.2, -0.05, 0, 0.05, 0.9])
    of_mean = vw.NoiseCeiling(r2, r2, r2, r2, r2).of_mean(20)
    assert (np.diff(of_mean) > 0).all() and abs(of_mean).max() <= 1
    alike = Samples.from_arrays(np.ones((9, 1)), np.arange(18).reshape(9, 2) % 7, np.zeros(9))
    with pytest.raises(RecordingError, match=r"two of the 1 trials.*Where each row is a trial, name its stimulus"):
        noise_ceiling(alike, between="trial")
    assert noise_ceiling(alike, between="trial", stimuli=list(map(tuple, alike.stimuli))).repeated.all()
    with pytest.raises(RecordingError, match=r'is shown in two of the 1 runs.*within a run, see between="trial"'):
        noise_ceiling(in_one)


def test_the_kind_of_runs_that_repeats_stimuli_is_found(recording, small_folder):
    assert find_repeats(recording) == "figure"
    for expected in (None, "film"):
        assert find_repeats(vw.load_recording(small_folder)) == expected
        for path in (*small_folder.glob("func/run1*"), *small_folder.glob("label/run1*")):
            for number in (7, 8):
                path.with_name(path.name.replace("run1", f"data_film_run{number}")).write_bytes(path.read_bytes())


def test_one_stimulus_alone_has_no_known_error():
    one = Samples.from_arrays(np.ones((60, 1)), np.random.default_rng(0).normal(size=(60, 5)), np.repeat(range(6), 10))
    assert np.isnan(noise_ceiling(one).error).all()
