"""The calls of this book on a Dask cluster of two worker processes, on this machine."""

import importlib
import os

import joblib
from dask.distributed import Client, LocalCluster

from . import by_this_book

#: For the workers; the page ``more_than_one_machine`` says why.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "33554432"}


def starting():
    """The start of a cluster whose workers have imported the package; it returns the client."""

    def run():
        os.environ.update(KEEP_MEMORY)
        client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0"))
        client.run(importlib.import_module, "voxelwise")
        return client

    return run


def call(name, n_voxels):
    """One of the three calls, on a cluster that is running."""
    here, client = by_this_book.call(name, n_voxels), starting()()

    def run():
        with joblib.parallel_config(backend="dask", client=client):
            return here()

    return run
