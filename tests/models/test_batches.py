"""Processes, threads, other machines: the same answers to the bit, and BLAS as it was before."""

import dataclasses

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from threadpoolctl import threadpool_info, threadpool_limits

from tests.models.conftest import with_voxels
from voxelwise import (
    VoxelwiseRidgeCV,
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
from voxelwise.models.batches import BATCH_SIZE, map_batches, one_thread


def arrays(result):
    """Arrays of a dataclass, an estimator or a table; an array alone."""
    if isinstance(result, VoxelwiseRidgeCV) or dataclasses.is_dataclass(result):
        return [value for value in vars(result).values() if isinstance(value, np.ndarray)]
    return [np.asarray(result)]


def assert_same(one, other):
    assert len(arrays(one)) > 0
    for mine, theirs in zip(arrays(one), arrays(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)


CALLS = {
    "ridge": cross_validate_ridge,
    "search": lambda samples, **jobs: search_alpha(samples, [1, 100, 1e4, 1e6], cv=3, **jobs),
    "fields": fit_receptive_fields,
    "prf": fit_prf,
    "test": lambda samples, **jobs: permutation_test(samples, n_permutations=9, rng=np.random.default_rng(1), **jobs),
    "estimator": lambda samples, **jobs: VoxelwiseRidgeCV([1, 1e3], **jobs).fit(samples.stimuli, samples.responses),
    "transfer": lambda samples, **jobs: score_transfer(samples, samples, **jobs),
}


@pytest.fixture(scope="module")
def some(samples):
    """More than one batch of voxels."""
    return with_voxels(samples, slice(BATCH_SIZE + 40))


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_jobs_and_threads_change_nothing(call, some):
    with threadpool_limits(1):
        alone = call(some)
    with threadpool_limits(2):
        assert_same(call(some), alone)
        assert_same(call(some, n_jobs=2), alone)
        with joblib.parallel_config(backend="threading", n_jobs=2):
            assert_same(call(some), alone)


def test_jobs_change_no_ceiling_and_no_file(figures, small_folder):
    some = with_voxels(figures, slice(BATCH_SIZE + 40))
    assert_same(noise_ceiling(some), noise_ceiling(some, n_jobs=2))
    recording = load_recording(small_folder)
    assert_same(load_samples(recording), load_samples(recording, n_jobs=2))


@pytest.mark.parametrize("call", [cross_validate_ridge, fit_receptive_fields])
def test_a_backend_that_hands_out_no_results_as_they_come_is_served(call, some):
    with joblib.parallel_config(backend="multiprocessing", n_jobs=2):
        spread = call(some)
    assert_same(spread, call(some))


def n_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def n_threads_in_batch(responses):
    return n_threads()


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky", "multiprocessing"])
def test_batches_have_one_thread_and_what_comes_after_has_all(backend):
    with threadpool_limits(2):
        before = n_threads()
        with joblib.parallel_config(backend=backend, n_jobs=2):
            inside = [found for _, found in map_batches(n_threads_in_batch, np.zeros((3, 9 * BATCH_SIZE)))]
        assert len(inside) == 9 and all(set(found) == {1} for found in inside)
        assert n_threads() == before == [2] * len(before)
        with pytest.raises(ZeroDivisionError), one_thread, one_thread:
            assert set(n_threads()) == {1}
            1 / 0  # noqa: B018
        assert n_threads() == before


@pytest.fixture(scope="module")
def client():
    """Two worker processes; this one's ``sys.path`` is handed on to them, and with it the package."""
    # Any free port for its web page: the usual one may be taken.
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0")
    with cluster, Client(cluster) as client:
        yield client


def count_tasks(client):
    """How many tasks each worker has done so far."""
    return np.array(list(client.run(lambda dask_worker: dask_worker.state.executed_count).values()))


@pytest.mark.parametrize("name", ["ridge", "search", "fields"])
def test_two_dask_workers_share_the_work(name, samples, client):
    some, before = with_voxels(samples, slice(2 * BATCH_SIZE)), count_tasks(client)
    with joblib.parallel_config(backend="dask", client=client):
        spread = CALLS[name](some)
    done = count_tasks(client) - before
    assert done.size == 2 and done.min() >= 1
    assert_same(spread, CALLS[name](some))
