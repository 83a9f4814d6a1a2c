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
    simulation,
    true_ceiling,
    true_fields,
)
from voxelwise.models.batches import BATCH_SIZE
from voxelwise.simulation.responses import NOISE_SD, draw_noise, drive_voxels

LAG = 2
SHARES = np.array([0, 0.05, 0.2, 0.5, 0.8])  # about the ceilings of the simulated voxels
FIELDS = {
    "row": [4.5, 3, 4, 5, 2],
    "column": [4.5, 3, 5, 6, 7],
    "size": [1, 0.8, 0.5, 1.5, 1],
    "on_response": [1, 2, 0.5, 1, 1.5],
}


def as_samples(images, responses, lag=0):
    """Samples of some runs; images (n_volumes, n_rows, n_columns) and responses (n_volumes, n_voxels) of each."""
    n_kept = [len(frames) - lag for frames in images]
    stimuli = [frames[:n].reshape(n, -1) for frames, n in zip(images, n_kept, strict=True)]
    return Samples(
        stimuli=np.concatenate(stimuli).astype(np.float32),
        responses=np.concatenate([run[lag:] for run in responses]).astype(np.float32),
        runs=np.repeat(np.arange(len(images)), n_kept),
        stimulus_shape=images[0].shape[1:],
        mask_img=None,
    )


def simulate(rng, n_copies):
    """Figure runs of five voxels, each recorded ``n_copies`` times; the same without noise, and the true share of signal.

    Columns are the voxels of the first copy, then those of the second, ...
    """
    images = [frames for name, frames in simulation.experiment(rng).items() if "figure" in name]
    voxels = pd.DataFrame(FIELDS)
    drives = [drive_voxels(frames, voxels, true_fields(voxels).reshape(len(voxels), -1)) for frames in images]
    gain = NOISE_SD * np.sqrt(SHARES / (1 - SHARES)) / np.concatenate(drives).std(axis=0)
    noisy, clean, explained, total = [], [], 0, 0
    for drive in drives:
        noise = NOISE_SD * draw_noise(len(drive), n_copies * len(voxels), rng)
        noisy.append(signal.clean(np.tile(gain * drive, n_copies) + noise, standardize="zscore_sample"))
        alone = signal.clean(gain * drive, standardize=None)
        noise = signal.clean(noise, standardize=None)
        sd = np.sqrt(alone.var(axis=0) + noise.var(axis=0).mean())
        clean.append(alone / sd)
        rows = slice(10 + LAG, None)  # from the first image on
        explained += (alone[rows] / sd).var(axis=0)
        total += (noise[rows].var(axis=0).mean() + alone[rows].var(axis=0)) / sd**2
    return as_samples(images, noisy, LAG), as_samples(images, clean, LAG), explained / total


def in_loops(samples):
    """Ceiling and error of the first voxel, from the formulas, sample by sample."""
    blocks = []
    for row, (image, run) in enumerate(zip(samples.stimuli, samples.runs, strict=True)):
        first_of_run = row == 0 or samples.runs[row - 1] != run
        is_image = (image != -1).any()
        if first_of_run or (is_image and (samples.stimuli[row - 1] != image).any()):
            blocks.append((row, tuple(image) if is_image else None))
    labels = []
    for row in range(len(samples.runs)):
        number = max(n for n, (start, _) in enumerate(blocks) if start <= row)
        start, image = blocks[number]
        labels.append((number, image, row - start, bool((samples.stimuli[row] == -1).all())))
    y = samples.responses[:, 0].astype(float)

    def elsewhere(row):
        return [
            other
            for other in range(len(y))
            if labels[other][1:] == labels[row][1:] and samples.runs[other] != samples.runs[row]
        ]

    rows = [row for row in range(len(y)) if labels[row][1] is not None and elsewhere(row)]
    for run in set(samples.runs):
        mine = [row for row in rows if samples.runs[row] == run]
        y[mine] -= y[mine].mean() if mine else 0
    product = {row: y[row] * np.mean(y[elsewhere(row)]) for row in rows}
    total = sum(y[row] ** 2 for row in rows)
    ceiling = sum(product.values()) / total
    u = {}
    for row in rows:
        number, image, *_ = labels[row]
        u.setdefault(image, {}).setdefault(number, 0)
        u[image][number] += 2 * product[row] - ceiling * y[row] ** 2
    variance = sum(len(some) * np.var(list(some.values()), ddof=1) for some in u.values())
    return ceiling, np.sqrt(variance) / total, np.isin(np.arange(len(y)), rows)


def irregular_samples(rng, n_voxels=3):
    """Runs of different length and order; an image in one run only; images without rest between; blocks of two lengths."""
    pictures = rng.integers(0, 2, (4, 3, 2))
    pictures[:, 0, 0] = np.arange(4)  # all different
    runs = []
    for number, order in enumerate(([0, 1, 1, 2], [1, 0, 3], [2, 1, 0, 0, 1], [2, 1])):
        frames = [np.full((3, 2), -1)] * number
        for place, image in enumerate(order):
            on, rest = 2 + (image == 0 and place == 0), 2 * (image != 2)
            frames += [pictures[image]] * on + [np.full((3, 2), -1)] * rest
        runs.append(np.array(frames))
    return as_samples(runs, [rng.normal(size=(len(frames), n_voxels)) + 2 * frames[:, :1, 0] for frames in runs], lag=1)


def itself_included(samples, rows):
    """The planted leak: each response times the mean of all repeats, its own among them."""
    blocks = find_trials(samples)[rows]
    y = pd.DataFrame(samples.responses[rows].astype(float), index=blocks.index)
    y -= y.groupby(blocks["run"]).transform("mean")
    m = y.groupby([blocks["image"], blocks["volume"], blocks["rest"]]).transform("mean")
    return ((y * m).sum() / (y**2).sum()).to_numpy()


def test_blocks_go_from_image_to_image():
    a, b, rest = np.ones((1, 2)), np.array([[0, 1]]), np.full((1, 2), -1)
    first, second = np.array([rest, a, a, rest, b, rest]), np.array([a, b, b, a, rest, rest])
    blocks = find_trials(as_samples([first, second], [np.zeros((6, 1))] * 2))
    assert blocks["block"].tolist() == [0, 1, 1, 1, 2, 2, 3, 4, 4, 5, 5, 5]
    assert blocks["volume"].tolist() == [0, 0, 1, 2, 0, 1, 0, 0, 1, 0, 1, 2]
    assert blocks["rest"].tolist() == [True, False, False, True, False, True, False, False, False, False, True, True]
    image = blocks["image"].to_numpy()
    assert image[0] == -1 and len(set(image[[1, 2, 3, 6, 9, 10, 11]])) == len(set(image[[4, 5, 7, 8]])) == 1
    assert image[1] != image[4] and (image[1:] >= 0).all()


@pytest.mark.parametrize("seed", range(4))
def test_sums_equal_the_formulas_in_loops(seed):
    samples = irregular_samples(np.random.default_rng(seed))
    found = noise_ceiling(samples)
    for voxel in range(3):
        alone = dataclasses.replace(samples, responses=samples.responses[:, voxel:])
        ceiling, error, repeated = in_loops(alone)
        np.testing.assert_array_equal(found.repeated, repeated)
        np.testing.assert_allclose([found.r2[voxel], found.error[voxel]], [ceiling, error], rtol=1e-6)
    assert 0 < repeated.sum() < len(repeated) - 5, "an image that is shown in one run only has no say"


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
    # What a model of the image alone cannot know: what the image before left behind, and the trend that was removed.
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
    silent = dataclasses.replace(noisy, responses=noisy.responses[:, :: len(SHARES)])
    found = noise_ceiling(silent)
    leaked = itself_included(silent, found.repeated)
    twice = dataclasses.replace(
        silent,
        stimuli=np.tile(silent.stimuli, (2, 1)),
        responses=np.tile(silent.responses, (2, 1)),
        runs=np.concatenate([silent.runs, silent.runs + 12]),
    )
    assert leaked.mean() > 0.1 and noise_ceiling(twice).r2.mean() > 0.1
    assert abs(found.r2.mean()) < 4 * found.r2.std() / np.sqrt(100)


def test_noise_that_repeats_within_a_run_is_no_signal():
    """Both times that a run shows an image it has the same noise, which is new in each run."""
    rng = np.random.default_rng(3)
    pictures = rng.random((6, 2, 2))
    orders = [[*rng.permutation(6), *rng.permutation(6)] for _ in range(8)]
    responses = [rng.normal(size=(6, 200))[order] for order in orders]
    found = noise_ceiling(as_samples([pictures[order] for order in orders], responses))
    assert abs(found.r2.mean()) < 4 * found.r2.std() / np.sqrt(200)


def test_simulated_recording_has_the_ceilings_that_were_put_in(recording, figures):
    found = noise_ceiling(figures)
    truth = true_ceiling(recording, found.repeated, np.random.default_rng(0))
    silent = recording.truth["gain"].to_numpy() == 0
    np.testing.assert_array_equal(truth[silent], 0)
    off = found.r2 - truth
    within = np.abs(off) < 2 * found.error
    assert abs(off[silent].mean()) < 0.002 and abs(off[~silent].mean()) < 0.005
    assert within[silent].mean() > 0.93 and within[~silent].mean() > 0.9
    clear = truth > 0.3
    assert abs(off[clear].mean()) < 0.015 and np.corrcoef(found.r2[clear], truth[clear])[0, 1] > 0.9


def test_true_ceiling_is_what_the_signal_itself_explains(recording, figures):
    """The noise-free drive as a prediction of the recorded responses, with the best factor for each run."""
    repeated = noise_ceiling(dataclasses.replace(figures, responses=figures.responses[:, :1])).repeated
    some = recording.truth[recording.truth["gain"] > 0].iloc[::7]
    drives = [
        signal.clean(drive_voxels(frames, some, true_fields(some).reshape(len(some), -1)), standardize=None)[LAG:]
        for frames in load_run_stimuli(recording, "figure")
    ]
    explained = []
    for run, drive in enumerate(drives):
        rows = repeated[figures.runs == run]
        x, y = drive[rows], figures.responses[figures.runs == run][rows][:, some.index]
        explained.append([np.corrcoef(one, other)[0, 1] ** 2 for one, other in zip(x.T, y.T, strict=True)])
    truth = true_ceiling(recording, repeated, np.random.default_rng(0))[some.index]
    off = np.mean(explained, axis=0) - truth
    assert abs(off[truth > 0.2].mean()) < 0.01 and off[truth > 0.2].std() < 0.04


def test_voxels_do_not_depend_on_their_chunk():
    noisy, _, _ = simulate(np.random.default_rng(2), (BATCH_SIZE + 40) // len(SHARES))
    alone = noise_ceiling(noisy)
    backwards = noise_ceiling(dataclasses.replace(noisy, responses=noisy.responses[:, ::-1]))
    for name in ("r2", "error"):
        np.testing.assert_allclose(getattr(backwards, name)[::-1], getattr(alone, name), atol=1e-12)


def test_a_voxel_that_never_changes_has_no_ceiling():
    samples = irregular_samples(np.random.default_rng(0))
    samples.responses[:, 0], samples.responses[:, 1] = 0, 2.3
    found = noise_ceiling(samples)
    np.testing.assert_array_equal(found.r2[:2], 0)
    np.testing.assert_array_equal(found.error[:2], 0)


def test_repeats_in_one_run_are_not_enough():
    frames = np.zeros((2, 8, 1, 1)) + [[[[0]], [[-1]]] * 4, [[[1]], [[-1]]] * 4]
    with pytest.raises(RecordingError, match="No stimulus is shown in two of the 2 runs"):
        noise_ceiling(as_samples(list(frames), np.ones((2, 8, 3))))
