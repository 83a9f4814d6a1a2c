"""The package, called with what the chapters and the command line set: before heavy work, and after it."""

import contextlib
import inspect

from tools.press import BuildError
from voxelwise import load_recording, load_samples
from voxelwise.inference.permutation import check_permutations
from voxelwise.results import write_results


def prepare_recording(book, values):
    """Return the recording, so that what takes long or fails does so before any chapter runs.

    Chapters refuse most of what does not fit within seconds; too few permutations, only after all of them were made.
    """
    try:
        if {"n_permutations", "rate"} <= values.keys():
            check_permutations(values["n_permutations"], values["rate"])
        with contextlib.chdir(book):  # paths are relative to it
            return _call(load_recording, **values)
    except ValueError as error:  # a RecordingError among them
        raise BuildError(str(error)) from None


def save_results(recording, values, folder):
    """Write what researchers take away from the book, by the settings of the chapters."""
    folds = {"cv": values["n_splits"]} if "n_splits" in values else {}  # the chapters' name for it
    _call(write_results, folder, recording, _call(load_samples, recording, **values), **values | folds)


def _call(function, *arguments, **values):
    """Call the function with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(*arguments, **{name: values[name] for name in taken if name in values})
