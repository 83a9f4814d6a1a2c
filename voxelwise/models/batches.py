"""Work on many voxels in chunks, on one core or on many machines."""

import joblib
from threadpoolctl import threadpool_limits

#: Voxels in a chunk: enough that NumPy's own loops do the work, few enough to stay near the processor.
CHUNK_SIZE = 500

#: Decorator: the function works in one thread. Matrices of the book's size gain little from more, and lose much
#: where other work shares the cores; and with one thread the result is the same to the bit on any number of cores.
one_thread = threadpool_limits.wrap(limits=1)


def map_chunks(function, responses, *shared, n_jobs=None, size=CHUNK_SIZE):
    """Call a function on one chunk of voxels after another.

    The calls go through joblib, so that ``joblib.parallel_config`` decides where they run. A chunk holds the same
    voxels wherever that is, so the results are the same too.

    Parameters
    ----------
    function : callable
        Called as ``function(chunk, *shared)``; defined in a module, so that another process finds it.
    responses : ndarray, shape (n_samples, n_voxels)
    *shared
        What every call needs besides.
    n_jobs : int, optional
        How many chunks are worked on at a time, as in joblib.
    size : int
        Voxels in a chunk.

    Yields
    ------
    columns : slice
        The voxels of a chunk, in order.
    result
        What the function returned for them.
    """
    chunks = [slice(start, start + size) for start in range(0, responses.shape[1], size)]
    results = joblib.Parallel(n_jobs=n_jobs, return_as="generator")(
        joblib.delayed(_call)(function, responses[:, columns], *shared) for columns in chunks
    )
    yield from zip(chunks, results, strict=True)


@one_thread
def _call(function, *arguments):
    return function(*arguments)
