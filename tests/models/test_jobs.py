"""One process or two, one thread or two: the same answers, to the bit."""

import dataclasses

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from voxelwise import (
    cross_validate_ridge,
    fit_prf,
    fit_receptive_fields,
    load_recording,
    load_samples,
    noise_ceiling,
    permutation_test,
    score_transfer,
    search_alpha,
)
from voxelwise.models.batches import CHUNK_SIZE


def some_voxels(samples):
    """More than one chunk of them."""
    return dataclasses.replace(samples, responses=samples.responses[:, : CHUNK_SIZE + 40])


@pytest.mark.parametrize(
    "call",
    [
        cross_validate_ridge,
        lambda samples, **jobs: search_alpha(samples, n_splits=3, **jobs),
        fit_receptive_fields,
        fit_prf,
        lambda samples, **jobs: permutation_test(samples, n_permutations=9, rng=np.random.default_rng(1), **jobs),
    ],
    ids=["ridge", "search", "fields", "population", "permutations"],
)
def test_of_random_runs(call, samples):
    assert_same(call, some_voxels(samples))


def test_of_figure_runs(samples, figures):
    train, test = some_voxels(samples), some_voxels(figures)
    assert_same(noise_ceiling, test)
    assert_same(lambda test, **jobs: score_transfer(train, test, **jobs), test)


def test_of_reading(small_folder):
    assert_same(load_samples, load_recording(small_folder))


def assert_same(call, data):
    with threadpool_limits(1):
        alone = arrays(call(data))
    assert len(alone) > 0
    for jobs in ({}, {"n_jobs": 2}):
        with threadpool_limits(2):
            again = arrays(call(data, **jobs))
        for one, other in zip(alone, again, strict=True):
            np.testing.assert_array_equal(one, other)


def arrays(result):
    """Arrays of a dataclass or of a table; an array alone."""
    if dataclasses.is_dataclass(result):
        return [value for value in vars(result).values() if isinstance(value, np.ndarray)]
    return [np.asarray(result)]
