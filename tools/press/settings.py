"""Whether a recording can be run under given settings, found out before anything heavy runs."""

import math
from numbers import Integral, Real

import numpy as np

from voxelwise import RecordingError, load_run_stimuli, whole_run_folds
from voxelwise.brain import MAX_MARKED
from voxelwise.inference.permutation import check_permutations
from voxelwise.models.ridge import check_alpha
from voxelwise.models.search import MIN_FOLDS


def _whole(least):
    """A rule: is the value a whole number of at least so much?"""
    return lambda value: isinstance(value, Integral) and value >= least


def _list_of(fits, *lengths):
    """A rule: is the value a list of one of these lengths, and does each entry fit?"""
    return lambda value: isinstance(value, list | tuple) and len(value) in lengths and all(map(fits, value))


#: By the name of a chapter's parameter: the rule for its value, and the rule in words.
RULES = {
    "stimulus_shape": (
        lambda value: value is None or _list_of(_whole(1), 2)(value),
        "the rows and the columns of an image, such as [9, 7]",
    ),
    "example_runs": (_list_of(_whole(1), 2), "two runs, counted from 1, such as [1, 3]"),
    "example_volumes": (_list_of(_whole(1), 2), "two volumes, counted from 1, such as [125, 102]"),
    "marked_voxels": (
        _list_of(_list_of(_whole(0), 3), *range(1, MAX_MARKED + 1)),
        f"one to {MAX_MARKED} grid positions, such as [[30, 10, 10]]",
    ),
    "marked_pixel": (_list_of(_whole(0), 2), "the row and the column of a pixel, counted from 0, such as [4, 2]"),
    "max_iter": (_whole(1), "a whole number of at least 1, the most pixels in a field"),
    "alpha_range": (
        lambda value: _list_of(lambda alpha: isinstance(alpha, Real), 2)(value) and 0 < value[0] < value[1] < math.inf,
        "the smallest and the largest penalty, both above 0, such as [1, 100000]",
    ),
    "n_alphas": (_whole(2), "a whole number of at least 2: a search has penalties to choose from"),
    "max_lag": (_whole(0), "a whole number of at least 0"),
    "min_score": (lambda value: 0 <= value < 1, "an R2 of at least 0 and below 1, such as 0.1"),
    "min_errors": (lambda value: 0 <= value < math.inf, "a finite number of at least 0, such as 4"),
    "n_permutations": (_whole(1), "a whole number of at least 1, and 99 or more to learn anything"),
    "rate": (lambda value: 0 < value < 1, "an error rate above 0 and below 1, such as 0.05"),
    "seed": (_whole(0), "a whole number of at least 0"),
    "n_voxels": (_whole(2), "a whole number of at least 2, the voxels of a pattern"),
}


def check_settings(recording, lag=0, alpha=0.0, n_splits=2, repeat_kind=None, **others):
    """Refuse settings that do not fit the recording; only its labels are read.

    Parameters
    ----------
    recording : Recording
    lag : int
        As in :func:`~voxelwise.load_samples`.
    alpha : float
        As in :func:`~voxelwise.cross_validate_ridge`.
    n_splits : int
        As in :func:`~voxelwise.cross_validate_ridge`.
    repeat_kind : str, optional
        Kind of the runs that show images again. ``"figure"`` may be missing: then there are no such runs.
    **others
        Further parameters of the chapters. Those with a rule in ``RULES`` are checked by it.

    Raises
    ------
    RecordingError
        If there are no runs to fit models to, or the first setting that does not fit.
    """
    for name, (fits, expected) in RULES.items():
        if name in others and not fits(others[name]):
            raise RecordingError(f"{name}={others[name]}: expected {expected}.")
    if {"n_permutations", "rate"} <= others.keys():
        check_permutations(others["n_permutations"], others["rate"])
    kinds = {"figure": None} | recording.func
    if repeat_kind is not None and repeat_kind not in kinds:
        raise RecordingError(f"repeat_kind={repeat_kind}: expected a kind of runs, one of {', '.join(kinds)}.")
    check_alpha(alpha)
    n_runs = len(load_run_stimuli(recording, lag=lag))
    whole_run_folds(np.arange(n_runs), n_splits)
    if "alpha_range" in others and n_runs < MIN_FOLDS:
        raise RecordingError(
            f"There are {n_runs} runs. The search for the penalty needs {MIN_FOLDS}: to fit, to choose and to score on."
        )
