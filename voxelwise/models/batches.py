"""Work on many voxels in batches, on one core or on many machines; each voxel by the runs in which it varies."""

import threading
from contextlib import ContextDecorator

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

#: Voxels in a batch: enough that NumPy's own loops do the work, few enough to stay near the processor.
BATCH_SIZE = 500


class _OneThread(ContextDecorator):
    """Limit BLAS to one thread: the first to come in sets the limit, the last to leave takes it away.

    Matrices of the book's size gain little from more threads, and lose much where other work shares the cores; and with
    one thread the result is the same to the bit on any number of cores. BLAS has one limit for a whole process. Batches
    that ran in threads side by side, each with a limit of its own, would take away each other's and leave one behind.
    """

    def __init__(self):
        self._lock, self._n_inside, self._limits = threading.Lock(), 0, None

    def __enter__(self):
        with self._lock:
            if not self._n_inside:
                self._limits = threadpool_limits(limits=1)
            self._n_inside += 1

    def __exit__(self, *exception):
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._limits.restore_original_limits()


#: Decorator, or context: what is inside works in one thread.
one_thread = _OneThread()


def map_batches(function, responses, *shared, n_jobs=None):
    """Call a function on one batch of voxels after another.

    The calls go through joblib, so that ``joblib.parallel_config`` decides where they run. A batch holds the same
    voxels wherever that is, so the results are the same too.

    Parameters
    ----------
    function : callable
        Called as ``function(batch, *shared)``; defined in a module, so that another process finds it.
    responses : ndarray, shape (n_samples, n_voxels)
    *shared
        What every call needs besides.
    n_jobs : int, optional
        How many batches are worked on at a time, as in joblib.

    Yields
    ------
    columns : slice
        The voxels of a batch, in order.
    result
        What the function returned for them.
    """
    batches = [slice(start, start + BATCH_SIZE) for start in range(0, responses.shape[1], BATCH_SIZE)]
    backend, _ = joblib.parallel.get_active_backend()
    # Some of joblib's backends (multiprocessing, Ray) cannot hand out results as they come in.
    return_as = "generator" if backend.supports_return_generator else "list"
    with one_thread:
        results = joblib.Parallel(n_jobs=n_jobs, return_as=return_as)(
            joblib.delayed(_call)(function, responses[:, columns], *shared) for columns in batches
        )
        yield from zip(batches, results, strict=True)


@one_thread
def _call(function, *arguments):
    return function(*arguments)


def group_by_view(samples, responses):
    """Groups of voxels that change within the same runs, and the samples of these runs.

    A voxel that never changes in a run was out of view there: the run tells nothing of it, and would spoil its fit and
    its score. So it is left out for this voxel. Most recordings have one group, of all runs.

    Parameters
    ----------
    samples : Samples
    responses : ndarray, shape (n_samples, n_voxels)
        Those of the samples, or of some voxels.

    Yields
    ------
    columns : ndarray of int
        The voxels of a group. Voxels that never change are in none.
    rows : ndarray of bool, shape (n_samples,)
        The samples that count for them.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    check_finite(X=samples.stimuli, Y=responses)
    runs = np.unique(samples.runs)
    in_view = np.array([varies(responses, np.flatnonzero(samples.runs == run)) for run in runs]).T
    group, first = number_alike(in_view)
    for number, of_group in enumerate(in_view[first]):
        if of_group.any():
            yield np.flatnonzero(group == number), np.isin(samples.runs, runs[of_group])


def map_voxels(prepare, function, samples, voxels=None, n_jobs=None):
    """Call a function on batches of voxels, together with what is prepared for the samples that count for them.

    Parameters
    ----------
    prepare : callable
        Called as ``prepare(rows)`` for each group of :func:`group_by_view`; what it returns goes to each call. None:
        nothing can be done with so few.
    function : callable
        Called as ``function(batch, prepared)``; the batch has all rows.
    samples : Samples
    voxels : ndarray of int, optional
        Columns of the responses, as of :func:`choose_columns`. Default: all.
    n_jobs : int, optional
        As in :func:`map_batches`.

    Yields
    ------
    columns : ndarray of int
        Which of the voxels a batch holds.
    result
        What the function returned for them.
    """
    responses = samples.responses if voxels is None else samples.responses[:, voxels]
    for columns, rows in group_by_view(samples, responses):
        with one_thread:
            prepared = prepare(rows)
        if prepared is not None:
            some = responses if len(columns) == responses.shape[1] else responses[:, columns]
            for batch, result in map_batches(function, some, prepared, n_jobs=n_jobs):
                yield columns[batch], result


def varies(responses, rows):
    """Which voxels change from one of these samples to another; of a single sample nobody can tell, so all may."""
    first = responses[rows[:1]]
    changes = np.full(responses.shape[1], len(rows) == 1)
    for some in (rows[1:2], rows):  # nearly all differ between the first two, so that few are looked at whole
        still = np.flatnonzero(~changes)
        changes[still] = (responses[np.ix_(some, still)] != first[:, still]).any(axis=0)
    return changes


def number_alike(rows):
    """Number equal rows alike, from 0 in the order in which they appear; and where each first appears.

    Parameters
    ----------
    rows : ndarray, shape (n_rows, n_columns)

    Returns
    -------
    numbers : ndarray of int, shape (n_rows,)
    first : ndarray of int
    """
    seen = {}
    numbers = np.array([seen.setdefault(row.tobytes(), len(seen)) for row in rows], dtype=int)
    return numbers, np.unique(numbers, return_index=True)[1]


def check_finite(**matrices):
    """Refuse what is no number, by the name, row and column of the first one.

    Raises
    ------
    ValueError
        If there is one.
    """
    for name, values in matrices.items():
        with np.errstate(over="ignore", invalid="ignore"):
            if np.isfinite(values.sum()):
                continue
        for row, column in np.argwhere(~np.isfinite(values)):
            raise ValueError(f"{name}: row {row}, column {column} is {values[row, column]}; expected finite numbers.")


def check_whole(name, value, least, most=np.inf, why=""):
    """Refuse what is no whole number in a range; gives it as int.

    Raises
    ------
    ValueError
        That names the argument.
    """
    try:
        if least <= value <= most and value == int(value):
            return int(value)
    except (TypeError, ValueError):
        pass
    wanted = f"of at least {least}" if most == np.inf else f"from {least} to {most}"
    raise ValueError(f"{name}={value!r}: {why}expected a whole number {wanted}.")


def choose_columns(voxels, n_voxels):
    """Columns of the responses, from what a user may name them by.

    Parameters
    ----------
    voxels : sequence of int, ndarray of bool with one entry a voxel, or None for all
    n_voxels : int

    Returns
    -------
    columns : ndarray of int

    Raises
    ------
    ValueError
        If there is no such voxel, or a mask has another length.
    """
    voxels = np.arange(n_voxels) if voxels is None else np.asarray(voxels)
    if voxels.dtype == bool and voxels.shape == (n_voxels,):
        return np.flatnonzero(voxels)
    whole = voxels.dtype.kind in "iu" or not voxels.size
    if voxels.ndim != 1 or not whole or (voxels.size and not 0 <= voxels.min() <= voxels.max() < n_voxels):
        raise ValueError(
            f"voxels={str(voxels.tolist()):.60}: expected columns from 0 to {n_voxels - 1}, or a mask of {n_voxels} times True or False."
        )
    return voxels.astype(int)
