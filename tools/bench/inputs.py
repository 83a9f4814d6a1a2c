"""What the measured calls are given: the simulated recording, as it is or with any number of voxels."""

import dataclasses

import numpy as np

from voxelwise import RunKFold, load_recording, load_samples

#: Every 36th voxel: 151 of them, from all over the mask, for what would take too long on all.
EVERY_36TH = slice(18, None, 36)


def recorded():
    """The samples of the random runs, as the chapters load them."""
    return load_samples(load_recording("simulated"))


def tiled(n_voxels):
    """As many voxels as asked for: the recording's, again and again, each with noise of its own."""
    samples = recorded()
    rng = np.random.default_rng(0)
    columns = np.resize(rng.permutation(samples.responses.shape[1]), n_voxels)
    responses = np.empty((len(samples.responses), n_voxels), dtype=np.float32)
    for row, recorded_row in zip(responses, samples.responses, strict=True):
        rng.standard_normal(out=row, dtype=np.float32)
        row *= 0.5
        row += recorded_row[columns]
    return dataclasses.replace(samples, responses=responses)


def splits(runs, n_splits):
    """Whole-run folds as pairs of rows, to train on and to test on."""
    return list(RunKFold(n_splits).split(runs, groups=runs))
