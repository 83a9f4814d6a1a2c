"""The book's own package, called with the parameters of the chapters: before they run, and after."""

import contextlib
import inspect

from tools.press.terminal import BuildError, show_time


@contextlib.contextmanager
def use_package(book):
    """Be where the chapters run, and can import from; turn a fault of the recording into ours."""
    from voxelwise import RecordingError

    with contextlib.chdir(book):  # paths are relative to it
        try:
            yield
        except RecordingError as error:
            raise BuildError(str(error)) from None


def call(function, *arguments, **values):
    """Call the function with those of the values that it takes."""
    taken = inspect.signature(function).parameters
    return function(*arguments, **{name: values[name] for name in taken if name in values})


def prepare_recording(book, values):
    """Return the recording, so that what takes long or fails does so before any chapter runs."""
    with use_package(book):
        from tools.press.settings import check_settings
        from voxelwise import load_recording

        recording = call(load_recording, **values)
        check_settings(recording, **values)
        return recording


def save_results(book, values, recording, folder):
    """Write what researchers take away from the book, by the settings of the chapters."""
    with show_time("[results] scores, fields and table"), use_package(book):
        from voxelwise import load_samples
        from voxelwise.results import write_results

        call(write_results, folder, recording, call(load_samples, recording, **values), **values)
    return folder
