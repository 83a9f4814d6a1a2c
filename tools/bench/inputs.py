"""What the measured calls are given."""

import dataclasses
import functools
import tempfile

import numpy as np

from voxelwise import RunKFold, Samples, is_rest, load_recording, load_samples, local_contrast, recode, stack_features

_FOLDER = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # kept until this process ends


def recorded():
    """The simulated recording's random runs, as the chapters load them."""
    return load_samples(load_recording("simulated"))


def tiled(n_voxels):
    """As many voxels as asked for: the recording's, again and again, each with noise of its own."""
    samples = recorded()
    rng = np.random.default_rng(0)
    columns = np.resize(rng.permutation(samples.responses.shape[1]), n_voxels)
    responses = rng.standard_normal((len(samples.responses), n_voxels), dtype=np.float32)
    responses *= 0.5
    responses += samples.responses[:, columns]
    return dataclasses.replace(samples, responses=responses)


def splits(samples, n_splits=10):
    """Whole-run folds as pairs of rows, to train on and to test on."""
    return list(RunKFold(n_splits).split(samples.runs, groups=samples.runs))


def one_fold(samples, n_splits=10):
    """The samples to train on and those to test on of the first fold, and as many inner folds as there are others."""
    train, test = map(samples.take, splits(samples, n_splits)[0])
    return train, test, splits(train, n_splits - 1)


def made_up(n_samples, n_voxels, n_features, filed=False):
    """Responses to many features: float32, in runs of 100 samples; ``filed``, they lie in a file until needed."""
    shape, path, rng = (n_samples, n_voxels), f"{_FOLDER.name}/responses.npy", np.random.default_rng(0)
    responses = np.lib.format.open_memmap(path, "w+", np.float32, shape) if filed else np.empty(shape, np.float32)
    features = rng.standard_normal((n_samples, n_features), dtype=np.float32)
    for start in range(0, n_voxels, 5_000):
        block = responses[:, start : start + 5_000]
        weights = rng.standard_normal((n_features, block.shape[1]), dtype=np.float32) / np.float32(n_features) ** 0.5
        block[:] = features @ weights + rng.standard_normal(block.shape, dtype=np.float32)
    if filed:
        responses.flush()
        del block
        responses = np.load(path, mmap_mode="r")
    return Samples.from_arrays(features, responses, np.arange(n_samples) // 100)


wide = functools.partial(made_up, 2_000, 20_000, 400)
filed = functools.partial(made_up, 8_000, 60_000, 1_000, filed=True)


def banded():
    """Three feature spaces and every 36th voxel: what to train on and to test on, and four inner folds."""
    samples = recorded()
    spaces = {
        "on/off": ~is_rest(samples.stimuli),
        "pixels": recode(samples, "rest black").stimuli,
        "contrast": local_contrast(samples, [(2, 2)]),
    }
    return one_fold(stack_features(samples.take(voxels=range(18, samples.responses.shape[1], 36)), spaces), 5)
