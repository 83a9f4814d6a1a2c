"""Processes, threads, other machines: the same answers to the bit, and BLAS as it was before."""

import threading

import joblib
import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

import voxelwise as vw
from voxelwise.models.batches import BATCH_SIZE, call_each, one_thread


def cross_validate(samples, **jobs):
    return vw.cross_validate_ridge(samples, cv=4, **jobs)


def choose(samples, **jobs):
    search = vw.search_alpha(samples, [1, 100, 1e4, 1e6], cv=3, **jobs)
    return np.vstack([search.curves, search.chosen, search.scores])


def permute(samples, **jobs):
    test = vw.permutation_test(samples, 9.0, 4, 9, rng=np.random.default_rng(1), **jobs)
    return np.vstack([test.scores, test.permutation_scores])


@pytest.fixture(scope="module")
def some(small_samples):
    """More than one batch of voxels."""
    rng, pixels = np.random.default_rng(0), np.maximum(small_samples.stimuli, 0)
    noise = rng.normal(size=(120, BATCH_SIZE + 40))
    responses = pixels @ rng.normal(size=(16, BATCH_SIZE + 40)) + noise
    return vw.Samples.from_arrays(small_samples.stimuli, responses, small_samples.runs, stimulus_shape=(4, 4))


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
@pytest.mark.parametrize("call", [cross_validate, choose, permute, vw.fit_receptive_fields, vw.fit_prf])
def test_jobs_and_threads_change_nothing(call, some):
    with threadpool_limits(1):
        alone = call(some, n_jobs=1)
    with threadpool_limits(2):
        np.testing.assert_array_equal(call(some), alone)
        with joblib.parallel_config(backend="loky", n_jobs=2):
            np.testing.assert_array_equal(call(some), alone)


def test_voxels_do_not_depend_on_their_batch(some):
    last = cross_validate(some.take(voxels=range(BATCH_SIZE, BATCH_SIZE + 40)))
    np.testing.assert_allclose(cross_validate(some)[:, BATCH_SIZE:], last, atol=1e-9)


def n_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


@pytest.mark.parametrize("backend", ["sequential", "threading", "loky", "multiprocessing"])
def test_calls_have_one_thread_and_what_comes_after_has_all(backend):
    """Multiprocessing is one of the backends that hand out no results as they come."""
    with threadpool_limits(2):
        before = n_threads()
        with joblib.parallel_config(backend=backend, n_jobs=2):
            inside = call_each(n_threads, [()] * 9)
        assert len(inside) == 9 and all(set(found) == {1} for found in inside)
        assert n_threads() == before == [2] * len(before)
        with pytest.raises(ZeroDivisionError), one_thread, one_thread:
            assert set(n_threads()) == {1}
            1 / 0  # noqa: B018
        assert n_threads() == before


@pytest.mark.parametrize("config", [{}, dict(n_jobs=2), dict(backend="threading", n_jobs=2)], ids=str)
def test_calls_run_side_by_side(config):
    """Two that wait for each other come back; with one after another, the first would wait in vain."""
    if joblib.cpu_count() < 2 and not config:
        pytest.skip("one core")
    with joblib.parallel_config(**config):
        assert sorted(call_each(threading.Barrier(2, timeout=20).wait, [(), ()])) == [0, 1]


# joblib's own list of what it has sent can forget an object twice, which Python can only print.
@pytest.mark.filterwarnings("ignore:.*_WeakKeyDictionary:pytest.PytestUnraisableExceptionWarning")
def test_two_dask_workers_share_the_work(some):
    from dask.distributed import Client, LocalCluster  # not at the top: each process would wait for it

    # Any free port for its web page: the usual one may be taken.
    cluster = LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=":0")
    with cluster, Client(cluster) as client, joblib.parallel_config(backend="dask", client=client):
        shared = cross_validate(some)
        assert min(client.run(lambda dask_worker: dask_worker.state.executed_count).values()) >= 1
    np.testing.assert_array_equal(shared, cross_validate(some))
