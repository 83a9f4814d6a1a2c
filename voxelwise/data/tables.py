"""Tables of features: a row for each stimulus, under the name that events call it by."""

from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from ..errors import RecordingError
from .reading import as_shape

NO_PICTURES = {".h5", ".hdf", ".mpg", ".mpeg", ".bufr", ".grib"}  # endings that Pillow needs another program for


def load_pictures(folder, shape):
    """The brightness of pictures in a few blocks, whatever format they have.

    Parameters
    ----------
    folder : path
        Pictures of any format that Pillow reads, in folders or not, among other files. A RecordingError if there are
        none, or one cannot be read, is transparent, or holds real numbers, without a white.
    shape : (int, int)
        Rows and columns of blocks, each the mean brightness of its part of the picture, by area.

    Returns
    -------
    pictures : DataFrame of float64, one row a picture, columns (row, column)
        From 0, black, to 1, white. Its index, ``stim_file``, is the path within the folder, as BIDS has it.
    """
    shape, folder = as_shape(shape or ()), Path(folder).expanduser()
    # Some formats Pillow only writes, such as PDF; of others it knows no more than the name.
    known = {ending for ending, kind in Image.registered_extensions().items() if kind in Image.OPEN} - NO_PICTURES
    paths = [path for path in sorted(folder.rglob("*")) if path.suffix.lower() in known and path.name[0] != "."]
    if not paths:
        raise RecordingError(f"{folder}: no picture in it; expected some, such as .png or .jpg.")
    pictures = [_brightness(path, shape) for path in paths]
    return _as_table(pictures, [path.relative_to(folder).as_posix() for path in paths], shape, "stim_file")


def load_patterns(recording, shape):
    """The stimuli that events spell out in ``stimulus_pattern``, a digit a pixel, row by row, as in ds000255.

    Parameters
    ----------
    recording : Recording
        As :func:`~voxelwise.bids_recording` finds it; a RecordingError if its events spell out none of this shape.
    shape : (int, int)
        Rows and columns of a pattern.

    Returns
    -------
    patterns : DataFrame of float64, one row a pattern, columns (row, column)
        Its index, ``stimulus_pattern``, is the pattern as it is spelled out.
    """
    column, n_pixels, found = "stimulus_pattern", np.prod(as_shape(shape or ())), {}
    for kind, runs in (recording.events or {}).items():
        for events, path in zip(runs, recording.label[kind], strict=True):
            for pattern in events.get(column, pd.Series(dtype=str)).dropna():
                if not (len(pattern) == n_pixels and pattern.isdecimal()):
                    raise RecordingError(f'{path}: "{column}" holds {pattern[:30]!r}; expected {n_pixels} digits.')
                found[pattern] = [int(digit) for digit in pattern]
    if not found:
        raise RecordingError(f'{recording.folder}: no events with a column "{column}" that spells out a stimulus.')
    return _as_table(list(found.values()), list(found), shape, column)


def layout(table):
    """How the features of a table are laid out: rows and columns if its columns are pairs of all of them."""
    shape = tuple(table.columns.get_level_values(level).nunique() for level in range(table.columns.nlevels))
    return shape if np.prod(shape) == table.shape[1] else (table.shape[1],)


def _brightness(path, shape):
    """Mean brightness of each block of a picture, from 0 to 1."""
    try:
        with Image.open(path) as image:
            if image.mode == "F":
                raise ValueError("real numbers, whose white is not known")
            if image.has_transparency_data and image.convert("RGBA").getextrema()[3][0] < 255:
                raise ValueError("transparent, on a ground that is not known")
            white = 65535 if image.mode.startswith("I") else 255
            grey = image.convert("I") if white > 255 else image.convert("RGB")
            picture = np.asarray(grey.convert("F"), float) / white
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise RecordingError(f"{path}: not a picture that can be read ({error}). Save it again, as PNG.") from None
    down, across = (_shares(*sizes) for sizes in zip(picture.shape, shape, strict=True))
    return down @ picture @ across.T


def _shares(n_points, n_blocks):
    """How much of each block each point makes up along one side, shape (n_blocks, n_points)."""
    edges, points = np.linspace(0, n_points, n_blocks + 1)[:, np.newaxis], np.arange(n_points)
    covered = np.minimum(edges[1:], points + 1) - np.maximum(edges[:-1], points)
    return np.maximum(covered, 0) * n_blocks / n_points


def _as_table(rows, names, shape, column):
    """A table whose columns are the places of the pixels."""
    places = pd.MultiIndex.from_product([range(n) for n in shape], names=["row", "column"])
    return pd.DataFrame(np.reshape(rows, (len(names), -1)), pd.Index(names, name=column), places, dtype=float)
