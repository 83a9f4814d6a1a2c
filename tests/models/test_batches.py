"""Processes, threads, other machines: the same answers to the bit, and BLAS as it was before."""

import dataclasses

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster
from pandas import DataFrame
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_info, threadpool_limits

import voxelwise as vw
from tests.plain import plain_loop
from voxelwise.models.batches import BATCH_SIZE, map_batches, one_thread

CALLS = {
    "ridge": lambda samples, **jobs: vw.cross_validate_ridge(samples, cv=4, **jobs),
    "search": lambda samples, **jobs: vw.search_alpha(samples, [1, 100, 1e4, 1e6], cv=3, **jobs),
    "fields": vw.fit_receptive_fields,
    "prf": vw.fit_prf,
    "test": lambda samples, **jobs: vw.permutation_test(samples, 9.0, 4, 9, rng=np.random.default_rng(1), **jobs),
    "estimator": lambda samples, **jobs: vw.VoxelwiseRidgeCV([1, 1e3], **jobs).fit(samples.stimuli, samples.responses),
    "transfer": lambda samples, **jobs: vw.score_transfer(samples, samples, **jobs),
    "ceiling": vw.noise_ceiling,
}


def assert_same(one, other):
    if isinstance(one, np.ndarray | DataFrame):
        return np.testing.assert_array_equal(one, other)
    names = [name for name, value in vars(one).items() if isinstance(value, np.ndarray)]
    assert names
    for name in names:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.fixture(scope="module")
def some(small_samples):
    """More than one batch of voxels, and runs with the same stimuli."""
    stimuli, rng = np.tile(small_samples.stimuli[:30], (4, 1)), np.random.default_rng(0)
    noise = rng.normal(size=(120, BATCH_SIZE + 40))
    responses = np.maximum(stimuli, 0) @ rng.normal(size=(16, BATCH_SIZE + 40)) + noise
    return vw.Samples.from_arrays(stimuli, responses, np.repeat(range(4), 30), stimulus_shape=(4, 4))


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_jobs_and_threads_change_nothing(call, some):
    with threadpool_limits(1):
        alone = call(some, n_jobs=1)
    with threadpool_limits(2):
        assert_same(call(some), alone)
        with joblib.parallel_config(backend="loky", n_jobs=2):
            assert_same(call(some), alone)


def test_voxels_do_not_depend_on_their_batch(some):
    last = CALLS["ridge"](some.take(voxels=range(BATCH_SIZE, BATCH_SIZE + 40)))
    np.testing.assert_allclose(CALLS["ridge"](some)[:, BATCH_SIZE:], last, atol=1e-9)


def test_a_voxel_that_ends_each_run_as_it_began_is_scored(small_samples):
    responses = small_samples.responses.copy()
    for rows in small_samples.run_rows:
        responses[rows[-1], 0] = responses[rows[0], 0]
    back = dataclasses.replace(small_samples, responses=responses)
    expected, _ = plain_loop(back, Ridge(100.0), vw.RunKFold(4))
    np.testing.assert_allclose(vw.cross_validate_ridge(back, cv=4), expected, atol=1e-7)


def n_threads(responses=None):
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky", "multiprocessing"])
def test_batches_have_one_thread_and_what_comes_after_has_all(backend):
    """Multiprocessing is one of the backends that hand out no results as they come."""
    with threadpool_limits(2):
        before = n_threads()
        with joblib.parallel_config(backend=backend, n_jobs=2):
            inside = [found for _, found in map_batches(n_threads, np.zeros((3, 9 * BATCH_SIZE)))]
        assert len(inside) == 9 and all(set(found) == {1} for found in inside)
        assert n_threads() == before == [2] * len(before)
        with pytest.raises(ZeroDivisionError), one_thread, one_thread:
            assert set(n_threads()) == {1}
            1 / 0  # noqa: B018
        assert n_threads() == before


def test_two_dask_workers_share_the_work(some):
    # Any free port for its web page: the usual one may be taken.
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0")
    with cluster, Client(cluster) as client, joblib.parallel_config(backend="dask", client=client):
        spread = CALLS["ridge"](some)
        assert min(client.run(lambda dask_worker: dask_worker.state.executed_count).values()) >= 1
    assert_same(spread, CALLS["ridge"](some))
