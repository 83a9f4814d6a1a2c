"""Work on many voxels in batches, on one core or on many machines; each voxel by the runs in which it varies."""

import threading
from contextlib import ContextDecorator

import joblib
import numpy as np
from threadpoolctl import threadpool_limits

from ..data.samples import check_finite, spread

#: Voxels in a batch: enough that threads are in NumPy's own loops and seldom wait for Python's lock.
BATCH_SIZE = 700

# Linux takes freed memory back, and a batch waits for it anew, a fifth of its time. But the C library keeps twice as
# much as the largest array that was freed so far, of those up to 32 MiB.
np.empty(30_000_000, np.uint8)


class _OneThread(ContextDecorator):
    """Limit BLAS to one thread: the first to come in sets it, the last to leave ends it."""

    # The limit is the process's: threads side by side, each with a limit of its own, would take away each other's.

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


#: Decorator, or context: what is inside works in one thread, so that it is the same to the bit on any number of cores.
one_thread = _OneThread()


@one_thread
def call_each(function, arguments, n_jobs=None):
    """Results of calls with each of these tuples, where ``joblib.parallel_config`` says, else in threads."""
    return spread((joblib.delayed(_call)(function, *each) for each in arguments), n_jobs)


@one_thread
def _call(function, *arguments):
    return function(*arguments)


def group_by_view(samples, responses):
    """Groups of voxels that change within the same runs: their columns, and a mask of the samples of these runs."""
    # A run in which a voxel never changes would spoil its score. Voxels that never change are in no group.
    check_finite(X=samples.stimuli, Y=responses)
    runs = np.unique(samples.runs)
    in_view = varies(responses, [np.flatnonzero(samples.runs == run) for run in runs]).T
    group, first = number_alike(in_view)
    for number, of_group in enumerate(in_view[first]):
        if of_group.any():
            yield np.flatnonzero(group == number), np.isin(samples.runs, runs[of_group])


def map_voxels(prepare, function, samples, voxels=None, n_jobs=None):
    """Yield columns and ``function(batch, prepare(rows))`` for batches of each group of :func:`group_by_view`."""
    # A batch has all rows. Where None is prepared, a group is passed over. Batches are the same on any number of cores.
    responses = samples.responses
    if voxels is not None and not np.array_equal(voxels, np.arange(responses.shape[1])):
        responses = responses[:, voxels]
    with one_thread:
        for columns, rows in group_by_view(samples, responses):
            prepared = prepare(rows)
            if prepared is None:
                continue
            some = responses if len(columns) == responses.shape[1] else responses[:, columns]
            batches = [slice(start, start + BATCH_SIZE) for start in range(0, len(columns), BATCH_SIZE)]
            arguments = ((some[:, batch], prepared) for batch in batches)
            for batch, result in zip(batches, call_each(function, arguments, n_jobs), strict=True):
                yield columns[batch], result


def varies(responses, sets):
    """Which voxels change from sample to sample of each set, (n_sets, n_voxels); with a single sample, all may."""
    changes = np.empty((len(sets), responses.shape[1]), dtype=bool)
    for rows, of_set in zip(sets, changes, strict=True):
        first = responses[rows[:1]]
        of_set[:] = (responses[rows[-1:]] != first).any(axis=0) | (len(rows) == 1)
        still = np.flatnonzero(~of_set)
        if still.size:  # few are: only these are looked at whole
            of_set[still] = (responses[np.ix_(rows, still)] != first[:, still]).any(axis=0)
    return changes


def consecutive(mask):
    """Places where a mask is True: a slice, of which NumPy makes no copy, if they follow each other."""
    places = np.flatnonzero(mask)
    start = places.min(initial=len(mask))
    return slice(start, start + len(places)) if mask[start : start + len(places)].all() else places


def number_alike(rows):
    """Numbers that are the same for equal rows, from 0 in the order in which they appear, and where each first does."""
    seen, whole, size = {}, rows.tobytes(), rows.itemsize * rows.shape[1]
    starts = range(0, len(whole), size)  # to cut one string takes a third of the time of many small arrays
    numbers = np.array([seen.setdefault(whole[start : start + size], len(seen)) for start in starts], dtype=int)
    return numbers, np.unique(numbers, return_index=True)[1]


def choose_columns(voxels, n_voxels):
    """Columns of the responses, from columns, a mask of bool, or None for all; others raise a ValueError."""
    given = np.arange(n_voxels) if voxels is None else np.asarray(voxels)
    columns = np.flatnonzero(given) if given.dtype == bool and given.shape == (n_voxels,) else given
    if columns.dtype == bool or columns.ndim != 1 or not np.isin(columns, np.arange(n_voxels)).all():
        raise ValueError(f"voxels={voxels}: expected columns from 0 to {n_voxels - 1}, or a mask of {n_voxels} bools.")
    return columns.astype(int)
