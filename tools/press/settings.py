"""The package, called with what the chapters and the command line set: before heavy work, and after it."""

import contextlib
import inspect
import math
from numbers import Integral, Real

from tools.press import BuildError
from voxelwise import load_recording, load_run_stimuli, load_samples
from voxelwise.brain import MAX_MARKED
from voxelwise.inference.permutation import check_permutations
from voxelwise.models.search import MIN_FOLDS
from voxelwise.results import write_results

#: By the name of a chapter's parameter: the least whole number; the least of a pair of them; the limits of a number.
#: What is not named here, the chapter itself refuses if it is wrong: a little later, that is all.
WHOLE = {"max_iter": 1, "max_lag": 0, "n_alphas": 2, "n_permutations": 1, "n_voxels": 2, "seed": 0}
PAIRS = {"example_runs": 1, "example_volumes": 1, "marked_pixel": 0, "stimulus_shape": 1}
WITHIN = {"alpha": (0, math.inf), "min_errors": (0, math.inf), "min_score": (0, 1), "rate": (1e-6, 1)}


def find_expected(name, value):
    """Return what was expected of a parameter instead of this value, or None where it makes sense."""
    if name in WHOLE and not is_whole(value, WHOLE[name]):
        return f"a whole number of at least {WHOLE[name]}"
    if name in PAIRS and not (value is None and name == "stimulus_shape") and not are_whole(value, 2, PAIRS[name]):
        return f"two whole numbers of at least {PAIRS[name]}"
    if name in WITHIN and not (isinstance(value, Real) and WITHIN[name][0] <= value < WITHIN[name][1]):
        return "a number of at least {:g} and below {:g}".format(*WITHIN[name])
    if name == "marked_voxels" and not (1 <= len(value) <= MAX_MARKED and all(are_whole(each, 3, 0) for each in value)):
        return f"one to {MAX_MARKED} grid positions, such as [[30, 10, 10]]"
    if name == "alpha_range" and not (len(value) == 2 and 0 < value[0] < value[1] < math.inf):
        return "the smallest and the largest penalty, both above 0, such as [1, 100000]"
    return None


def is_whole(value, least):
    """Tell whether it is a whole number of at least so much."""
    return isinstance(value, Integral) and value >= least


def are_whole(values, number, least):
    """Tell whether it is a list of so many whole numbers, each of at least so much."""
    return isinstance(values, list) and len(values) == number and all(is_whole(value, least) for value in values)


def prepare_recording(book, values):
    """Return the recording, so that what takes long or fails does so before any chapter runs."""
    for name, value in values.items():
        if expected := find_expected(name, value):
            raise BuildError(f"{name}={value}: expected {expected}.")
    try:
        if {"n_permutations", "rate"} <= values.keys():
            check_permutations(values["n_permutations"], values["rate"])
        with contextlib.chdir(book):  # paths are relative to it
            recording = _call(load_recording, **values)
            check_recording(recording, **values)
            return recording
    except ValueError as error:  # a RecordingError among them
        raise BuildError(str(error)) from None


def check_recording(recording, lag=0, n_splits=2, repeat_kind=None, **others):
    """Refuse what does not fit the recording; only its labels are read."""
    kinds = {"figure": None} | recording.func  # which may be missing: then there are no such runs
    if repeat_kind is not None and repeat_kind not in kinds:
        raise BuildError(f"repeat_kind={repeat_kind}: expected a kind of runs, one of {', '.join(kinds)}.")
    n_runs = len(load_run_stimuli(recording, lag=lag))
    least = MIN_FOLDS if "alpha_range" in others else 2
    if n_runs < least:
        raise BuildError(
            f"{recording.name} has {n_runs} runs to fit models to. The chapters need {least}: to fit, to score, "
            "and, where there is a penalty to choose, to choose it on."
        )
    if not is_whole(n_splits, 2) or n_splits > n_runs:
        raise BuildError(f"n_splits={n_splits}: folds are whole runs; expected a whole number from 2 to {n_runs}.")


def save_results(recording, values, folder):
    """Write what researchers take away from the book, by the settings of the chapters."""
    folds = {"cv": values["n_splits"]} if "n_splits" in values else {}  # the chapters' name for it
    _call(write_results, folder, recording, _call(load_samples, recording, **values), **values | folds)


def _call(function, *arguments, **values):
    """Call the function with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(*arguments, **{name: values[name] for name in taken if name in values})
