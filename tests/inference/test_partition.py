"""The parts of a score, against models of fewer spaces and against what was put in."""

import numpy as np
import pytest

from voxelwise import Samples, partition_variance, stack_features

ALPHAS, RATIOS = np.geomspace(1, 1000, 4), [1.0, 0.1, 0.0]
N_VOXELS = 40


@pytest.fixture(scope="module")
def known():
    """Three spaces: one explains 0.4 of each voxel, one that resembles it 0.1 more, one is noise."""
    rng = np.random.default_rng(0)
    runs = np.repeat(np.arange(6), 100)
    first = rng.normal(size=(600, 6))
    second = np.hstack([first[:, :3] + 0.5 * rng.normal(size=(600, 3)), rng.normal(size=(600, 3))])
    signal = first @ rng.normal(size=(6, N_VOXELS)), second[:, 3:] @ rng.normal(size=(3, N_VOXELS))
    Y = np.sqrt(0.5) * rng.normal(size=(600, N_VOXELS))
    for share, part in zip((0.4, 0.1), signal, strict=True):
        Y += np.sqrt(share) * part / part.std(axis=0)
    samples = Samples.from_arrays(first, Y, runs)
    return stack_features(samples, {"first": first, "second": second, "noise": rng.normal(size=(600, 10))})


@pytest.fixture(scope="module")
def partition(known):
    return partition_variance(known, ALPHAS, RATIOS, cv=6)


def test_parts_add_up_and_are_what_was_put_in(partition):
    np.testing.assert_allclose(partition.split.sum(axis=1), partition.scores.mean(axis=0), atol=1e-9)
    assert partition.scores.mean() == pytest.approx(0.5, abs=0.04)
    means = partition.alone.mean(), partition.split.mean()
    for (first, second, noise), expected in zip(means, ((0.4, 0.25, 0), (0.4, 0.1, 0)), strict=True):
        assert (first, second, noise) == pytest.approx(expected, abs=0.05)
    assert partition.unique["first"].mean() < 0.3 < partition.alone["first"].mean(), "half of it resembles the second"
    assert partition.unique["second"].mean() == pytest.approx(0.1, abs=0.03)
    unique, error = partition.unique["noise"], partition.unique_error["noise"]
    assert (abs(unique) <= 2 * error + 1e-9).mean() > 0.95 and abs(unique.mean()) < 0.003


def test_a_single_space_is_refused(known):
    for features in (None, {"all": 22}):
        one = Samples.from_arrays(known.stimuli, known.responses, known.runs, features)
        with pytest.raises(ValueError, match="spaces; expected two or more"):
            partition_variance(one)
