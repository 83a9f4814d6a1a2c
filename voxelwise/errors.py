"""The one exception that the package raises about a recording."""


class RecordingError(ValueError):
    """A recording cannot be had, read or used as asked.

    The message says which file or setting, what was found, what was expected, and what to do about it.
    """
