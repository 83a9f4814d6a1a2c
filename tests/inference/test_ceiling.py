"""The noise ceiling, against its formula in loops, a closed form, and the known truth of simulated runs."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from nilearn import signal

from voxelwise import (
    RecordingError,
    Samples,
    find_trials,
    load_run_stimuli,
    noise_ceiling,
    true_ceiling,
    true_fields,
)
from voxelwise.models.batches import CHUNK_SIZE
from voxelwise.simulation.experiment import draw_stimuli
from voxelwise.simulation.responses import NOISE_SD, draw_noise, drive_voxels

LAG = 2
SHARES = np.array([0, 0.05, 0.2, 0.5, 0.8])  # about the ceilings of the simulated voxels
FIELDS = pd.DataFrame([[4.5, 4.5, 1, 1], [3, 3, 0.8, 2], [4, 5, 0.5, 0.5], [5, 6, 1.5, 1], [2, 7, 1, 1.5]])
FIELDS.columns = ["row", "column", "size", "on_response"]


def as_samples(stimuli, responses, lag=0):
    """Samples of some runs; stimuli (n_volumes, n_rows, n_columns) and responses (n_volumes, n_voxels) of each."""
    n_kept = [len(frames) - lag for frames in stimuli]
    X = np.concatenate([frames[:n].reshape(n, -1) for frames, n in zip(stimuli, n_kept, strict=True)])
    Y = np.concatenate([run[lag:] for run in responses])
    return Samples.from_arrays(X, Y, np.repeat(np.arange(len(stimuli)), n_kept), stimuli[0].shape[1:])


def simulate(rng, n_copies):
    """Figure runs of five voxels, each recorded ``n_copies`` times; the same without noise, and the true share of signal.

    Columns are the voxels of the first copy, then those of the second, ...
    """
    stimuli = [frames for name, frames in draw_stimuli(rng).items() if "figure" in name]
    drives = [drive_voxels(frames, FIELDS, true_fields(FIELDS).reshape(len(FIELDS), -1)) for frames in stimuli]
    gain = NOISE_SD * np.sqrt(SHARES / (1 - SHARES)) / np.concatenate(drives).std(axis=0)
    noisy, clean, explained, total = [], [], 0, 0
    for drive in drives:
        noise = NOISE_SD * draw_noise(len(drive), n_copies * len(FIELDS), rng)
        noisy.append(signal.clean(np.tile(gain * drive, n_copies) + noise, standardize="zscore_sample"))
        alone = signal.clean(gain * drive, standardize=None)
        noise = signal.clean(noise, standardize=None)
        sd = np.sqrt(alone.var(axis=0) + noise.var(axis=0).mean())
        clean.append(alone / sd)
        rows = slice(10 + LAG, None)  # from the first stimulus on
        explained += (alone[rows] / sd).var(axis=0)
        total += (noise[rows].var(axis=0).mean() + alone[rows].var(axis=0)) / sd**2
    return as_samples(stimuli, noisy, LAG), as_samples(stimuli, clean, LAG), explained / total


def in_loops(samples, y):
    """Ceiling and error of a voxel's responses from the formulas, sample by sample, and which samples count."""
    trials = []
    for row, (stimulus, run) in enumerate(zip(samples.stimuli, samples.runs, strict=True)):
        first_of_run = row == 0 or samples.runs[row - 1] != run
        shown = (stimulus != -1).any()
        if first_of_run or (shown and (samples.stimuli[row - 1] != stimulus).any()):
            trials.append((row, tuple(stimulus) if shown else None))
    labels = []
    for row in range(len(samples.runs)):
        number = max(n for n, (start, _) in enumerate(trials) if start <= row)
        start, stimulus = trials[number]
        labels.append((number, stimulus, row - start, bool((samples.stimuli[row] == -1).all())))

    def elsewhere(row):
        alike = [other for other in range(len(y)) if labels[other][1:] == labels[row][1:]]
        return [other for other in alike if samples.runs[other] != samples.runs[row]]

    y = y.astype(float)
    rows = [row for row in range(len(y)) if labels[row][1] is not None and elsewhere(row)]
    for run in set(samples.runs):
        mine = [row for row in rows if samples.runs[row] == run]
        y[mine] -= y[mine].mean() if mine else 0
    product = {row: y[row] * np.mean(y[elsewhere(row)]) for row in rows}
    total = sum(y[row] ** 2 for row in rows)
    ceiling = sum(product.values()) / total
    u = {}
    for row in rows:
        number, stimulus, *_ = labels[row]
        u.setdefault(stimulus, {}).setdefault(number, 0)
        u[stimulus][number] += 2 * product[row] - ceiling * y[row] ** 2
    variance = sum(len(some) * np.var(list(some.values()), ddof=1) for some in u.values())
    return ceiling, np.sqrt(variance) / total, np.isin(np.arange(len(y)), rows)


def irregular_samples(rng, n_voxels=3):
    """Runs of different length and order; a stimulus in one run only, some without rest between; trials of two lengths."""
    pictures = rng.integers(0, 2, (4, 3, 2))
    pictures[:, 0, 0] = np.arange(4)  # all different
    runs = []
    for number, order in enumerate(([0, 1, 1, 2], [1, 0, 3], [2, 1, 0, 0, 1], [2, 1])):
        frames = [np.full((3, 2), -1)] * number
        for place, which in enumerate(order):
            on, rest = 2 + (which == 0 and place == 0), 2 * (which != 2)
            frames += [pictures[which]] * on + [np.full((3, 2), -1)] * rest
        runs.append(np.array(frames))
    return as_samples(runs, [rng.normal(size=(len(frames), n_voxels)) + 2 * frames[:, :1, 0] for frames in runs], lag=1)


@pytest.mark.parametrize("seed", range(4))
def test_sums_equal_the_formulas_in_loops(seed):
    samples = irregular_samples(np.random.default_rng(seed))
    found = noise_ceiling(samples)
    for voxel, y in enumerate(samples.responses.T):
        ceiling, error, repeated = in_loops(samples, y)
        np.testing.assert_array_equal(found.repeated, repeated)
        np.testing.assert_allclose([found.r2[voxel], found.error[voxel]], [ceiling, error], rtol=1e-6)
    assert 0 < repeated.sum() < len(repeated) - 5, "a stimulus that is shown in one run only has no say"


def test_equal_runs_give_the_signal_power_of_sahani_and_linden():
    """Where each run is one repeat of the same sequence: SP = (N P(mean) - mean P) / (N - 1), and SP / mean P."""
    rng = np.random.default_rng(1)
    frames = rng.random((40, 2, 2))
    responses = rng.normal(size=(40, 1)) + rng.normal(size=(6, 40, 1))
    power = responses.var(axis=1).mean()
    signal_power = (6 * responses.mean(axis=0).var() - power) / 5
    found = noise_ceiling(as_samples([frames] * 6, responses))
    assert found.r2[0] == pytest.approx(signal_power / power, rel=1e-4)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_unbiased_and_knows_its_error(seed):
    """Over 400 recordings of the same five voxels, another experiment with each seed."""
    noisy, clean, truth = simulate(np.random.default_rng(seed), 400)
    found = noise_ceiling(noisy)
    r2, error = found.r2.reshape(400, -1), found.error.reshape(400, -1)
    # What a model of the stimulus alone cannot know: what the one before left behind, and the trend that was removed.
    shared = noise_ceiling(clean).r2
    assert ((shared[1:] > 0.97) & (shared[1:] < 1)).all()
    spread = r2.std(axis=0, ddof=1)
    np.testing.assert_array_less(np.abs(r2.mean(axis=0) - shared * truth), 4 * spread / np.sqrt(400) + 1e-3)
    ratio = error.mean(axis=0) / spread
    assert (ratio > 0.85).all() and (ratio < 1.45).all()
    assert (r2[:, 0] < 0).mean() > 0.4, "a silent voxel is as often below 0 as above"


def test_leak_of_the_own_noise_raises_the_ceiling():
    """Two planted leaks, the mean with the response itself and runs that are counted twice; nothing of it without them."""
    noisy, _, _ = simulate(np.random.default_rng(5), 100)
    silent = noisy.take(voxels=np.arange(0, noisy.responses.shape[1], len(SHARES)))
    found = noise_ceiling(silent)
    trials = find_trials(silent)[found.repeated]
    y = pd.DataFrame(silent.responses[found.repeated].astype(float), index=trials.index)
    y -= y.groupby(trials["run"]).transform("mean")
    m = y.groupby([trials[name] for name in trials.columns[2:]]).transform("mean")  # stimulus, volume, rest
    assert ((y * m).sum() / (y**2).sum()).mean() > 0.1
    doubled = [np.concatenate([part, part]) for part in (silent.stimuli, silent.responses)]
    twice = Samples.from_arrays(*doubled, np.concatenate([silent.runs, silent.runs + 12]))
    assert noise_ceiling(twice).r2.mean() > 0.1
    assert abs(found.r2.mean()) < 4 * found.r2.std() / np.sqrt(100)


def test_noise_that_repeats_within_a_run_is_no_signal():
    """Both times that a run shows a stimulus it has the same noise, which is new in each run."""
    rng = np.random.default_rng(3)
    pictures = rng.random((6, 2, 2))
    orders = [[*rng.permutation(6), *rng.permutation(6)] for _ in range(8)]
    responses = [rng.normal(size=(6, 200))[order] for order in orders]
    found = noise_ceiling(as_samples([pictures[order] for order in orders], responses))
    assert abs(found.r2.mean()) < 4 * found.r2.std() / np.sqrt(200)


def test_simulated_recording_has_the_ceilings_that_were_put_in(recording, figures):
    """And a true ceiling is what the noise-free drive explains of the responses, with the best factor for each run."""
    found, stimuli = noise_ceiling(figures), load_run_stimuli(recording, "figure")
    truth = true_ceiling(recording.truth, stimuli, found.repeated, np.random.default_rng(0))
    silent = recording.truth["gain"].to_numpy() == 0
    np.testing.assert_array_equal(truth[silent], 0)
    off = found.r2 - truth
    within = np.abs(off) < 2 * found.error
    assert abs(off[silent].mean()) < 0.002 and abs(off[~silent].mean()) < 0.005
    assert within[silent].mean() > 0.93 and within[~silent].mean() > 0.9
    clear = truth > 0.3
    assert abs(off[clear].mean()) < 0.015 and np.corrcoef(found.r2[clear], truth[clear])[0, 1] > 0.9

    some = np.flatnonzero(truth > 0.2)[::3]
    voxels, explained = recording.truth.iloc[some], []
    for frames, rows in zip(stimuli, figures.run_rows, strict=True):
        drive = drive_voxels(frames, voxels, true_fields(voxels).reshape(len(voxels), -1))
        x = signal.clean(drive, standardize=None)[LAG:][found.repeated[rows]]
        y = figures.responses[rows][found.repeated[rows]][:, some]
        explained.append([np.corrcoef(one, other)[0, 1] ** 2 for one, other in zip(x.T, y.T, strict=True)])
    off = np.mean(explained, axis=0) - truth[some]
    assert abs(off.mean()) < 0.01 and off.std() < 0.04


def test_voxels_do_not_depend_on_their_chunk_and_one_that_never_changes_has_no_ceiling():
    samples = irregular_samples(np.random.default_rng(0), CHUNK_SIZE + 40)
    samples.responses[:, 0], samples.responses[:, 1] = 0, 2.3
    found = noise_ceiling(samples)
    backwards = noise_ceiling(dataclasses.replace(samples, responses=samples.responses[:, ::-1]))
    for name in ("r2", "error"):
        np.testing.assert_allclose(getattr(backwards, name)[::-1], getattr(found, name), atol=1e-12)
        np.testing.assert_array_equal(getattr(found, name)[:2], 0)


def test_repeats_in_one_run_are_not_enough():
    frames = np.zeros((2, 8, 1, 1)) + [[[[0]], [[-1]]] * 4, [[[1]], [[-1]]] * 4]
    with pytest.raises(RecordingError, match="is shown in two of the 2 runs"):
        noise_ceiling(as_samples(list(frames), np.ones((2, 8, 3))))
