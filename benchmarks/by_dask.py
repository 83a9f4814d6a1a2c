"""The calls of this book on a Dask cluster of two worker processes, on this machine."""

import importlib

import joblib
from dask.distributed import Client, LocalCluster

from . import inputs
from .by_this_book import CALLS


def start():
    """A cluster whose workers have imported the package."""
    client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))
    client.run(importlib.import_module, "voxelwise")
    return client


def call(name, n_voxels):
    """One of the three calls, on a cluster that is running."""
    samples = inputs.tiled(n_voxels)
    client = start()

    def run():
        with joblib.parallel_config(backend="dask", client=client):
            return CALLS[name](samples)

    return run


def starting():
    """The start itself."""
    return start
