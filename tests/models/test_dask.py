"""The heavy calls on a Dask cluster: the same answers to the bit, worked out by more than one process."""

import dataclasses

import joblib
import numpy as np
import pytest
from dask.distributed import Client, LocalCluster

from voxelwise import cross_validate_ridge, fit_receptive_fields
from voxelwise.models.batches import CHUNK_SIZE
from voxelwise.models.search import search_alpha


@pytest.fixture(scope="module")
def client():
    """Two worker processes; this one's ``sys.path`` is handed on to them, and with it the package."""
    # Any free port for its web page: the usual one may be taken.
    with LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0") as cluster:
        with Client(cluster) as client:
            yield client


@pytest.fixture(scope="module")
def some_samples(samples):
    """Two chunks of voxels."""
    return dataclasses.replace(samples, responses=samples.responses[:, : 2 * CHUNK_SIZE])


def count_tasks(client):
    """How many tasks each worker has done so far."""
    return np.array(list(client.run(lambda dask_worker: dask_worker.state.executed_count).values()))


@pytest.mark.parametrize("call", [cross_validate_ridge, search_alpha, fit_receptive_fields])
def test_two_workers_share_the_work_and_give_the_same_answer(call, some_samples, client):
    before = count_tasks(client)
    with joblib.parallel_config(backend="dask", client=client):
        spread = call(some_samples)
    done = count_tasks(client) - before
    assert done.size == 2 and done.min() >= 1
    np.testing.assert_equal(arrays(spread), arrays(call(some_samples)))


def arrays(result):
    """An array as it is; the arrays of a search by name."""
    return vars(result) if dataclasses.is_dataclass(result) else result
