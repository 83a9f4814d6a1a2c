"""The one exception that the package raises about a recording."""


class RecordingError(ValueError):
    """A recording cannot be had, read or used as asked: which file, what was found and expected, and what to do."""
