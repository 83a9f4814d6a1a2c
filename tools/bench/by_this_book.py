"""The measured calls of this book. Each function prepares one and returns it, ready to be timed."""

import tempfile
from functools import partial

import numpy as np

from voxelwise import (
    BandedRidgeCV,
    VoxelwiseRidgeCV,
    cross_validate_ridge,
    fit_receptive_fields,
    load_recording,
    load_samples,
    voxel_at,
)
from voxelwise.models.search import search_alpha
from voxelwise.simulation.cortex import MARKED_VOXELS

from . import inputs


def search_once(samples, n_jobs=None):
    """A penalty for each voxel, by ten folds, without an outer loop."""
    return VoxelwiseRidgeCV(cv=10, n_jobs=n_jobs).fit(samples.stimuli, samples.responses, samples.runs).best_alphas_


CALLS = {"Ridge scores": cross_validate_ridge, "Alpha search": search_alpha, "All fields": fit_receptive_fields}


def pipeline():
    """From files to scores of all voxels and four receptive fields."""
    recording = load_recording("simulated")

    def run():
        samples = load_samples(recording)
        cross_validate_ridge(samples).mean(axis=0)
        return fit_receptive_fields(samples, [voxel_at(samples.mask_img, position) for position in MARKED_VOXELS])

    return run


def call(name, n_voxels=None, n_jobs=None):
    """One of the three calls, on the recording or on a number of voxels."""
    samples = inputs.recorded() if n_voxels is None else inputs.tiled(n_voxels)
    if n_jobs is not None:
        CALLS[name](inputs.tiled(1000), n_jobs=n_jobs)  # starts the worker processes
    return partial(CALLS[name], samples, n_jobs=n_jobs)


WIDE_CALLS = CALLS | {"Plain search": search_once}
#: Kept until this process ends.
_FOLDER = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)


def wide(name):
    """One of the calls, on many features."""
    return partial(WIDE_CALLS[name], inputs.wide())


def filed(name):
    """One of the calls, on many features and responses that lie in a file."""
    return partial(WIDE_CALLS[name], inputs.filed(f"{_FOLDER.name}/responses.npy"))


def product(size=6_000):
    """A product of two large matrices, float32: what the machine can do."""
    matrix = np.random.default_rng(0).standard_normal((size, size), dtype=np.float32)
    return lambda: matrix @ matrix


def banded_ridge():
    """``BandedRidgeCV``, for the first of five outer folds."""
    train, test, inner = inputs.banded()
    model = BandedRidgeCV(train.features, cv=inner)

    def run():
        fitted = model.fit(train.stimuli, train.responses, runs=train.runs)
        return fitted.score(test.stimuli, test.responses, multioutput="raw_values")

    return run
