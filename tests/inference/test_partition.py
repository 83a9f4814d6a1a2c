"""The parts of a score, against what was put in; tests/models/test_search.py holds them against loops."""

import numpy as np
import pytest

from voxelwise import Samples, partition_variance, stack_features

N_VOXELS = 40


def test_parts_are_what_was_put_in():
    """Three spaces: one explains 0.4 of each voxel, one that resembles it 0.1 more, one is noise."""
    rng = np.random.default_rng(0)
    first = rng.normal(size=(600, 6))
    second = np.hstack([first[:, :3] + 0.5 * rng.normal(size=(600, 3)), rng.normal(size=(600, 3))])
    Y = np.sqrt(0.5) * rng.normal(size=(600, N_VOXELS))
    for share, seen in ((0.4, first), (0.1, second[:, 3:])):
        part = seen @ rng.normal(size=(seen.shape[1], N_VOXELS))
        Y += np.sqrt(share) * part / part.std(axis=0)
    samples = Samples.from_arrays(first, Y, np.repeat(np.arange(6), 100))
    known = stack_features(samples, {"first": first, "second": second, "noise": rng.normal(size=(600, 10))})
    partition = partition_variance(known, np.geomspace(1, 1000, 4), cv=6)
    assert partition.scores.mean() == pytest.approx(0.5, abs=0.04)
    assert partition.alone.mean().tolist() == pytest.approx([0.4, 0.25, 0], abs=0.05)
    assert partition.split.mean().tolist() == pytest.approx([0.4, 0.1, 0], abs=0.05)
    assert partition.unique["first"].mean() < 0.3 < partition.alone["first"].mean(), "half of it resembles the second"
    assert partition.unique["second"].mean() == pytest.approx(0.1, abs=0.03)
    unique, error = partition.unique["noise"], partition.unique_error["noise"]
    assert (abs(unique) <= 2 * error + 1e-9).mean() > 0.95 and abs(unique.mean()) < 0.003
