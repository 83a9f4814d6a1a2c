"""Read one file of a recording, or say what is wrong with it.

Every road to the data leads through these functions, so a fault is found wherever the file comes from, and is told
in the same words: which file, what was found, what was expected, what to do.
"""

import math
import re
from pathlib import Path

import numpy as np

from ..errors import RecordingError
from .nifti import open_nifti, whole_array

#: The most values that the mask may keep of one run: 1 GiB as float32.
MAX_VALUES = 2**28
#: The most bytes that a label file may have: a thousand rows of 256 x 256 pixels.
MAX_LABEL_BYTES = 2**27


def open_image(path, like=None, n_dimensions=3):
    """Open a NIfTI file; its voxels are not read yet.

    Parameters
    ----------
    path : path
    like : Nifti1Image, optional
        The mask: the image must have its grid and affine.
    n_dimensions : int
        3 for a single volume, 4 for a run.

    Returns
    -------
    image : Nifti1Image
        With its file kept open, so that volumes can be read one after another.

    Raises
    ------
    RecordingError
        If the file cannot be read as NIfTI, or lies on another grid.
    """
    image = open_nifti(path)
    if len(image.shape) != n_dimensions:
        raise RecordingError(f"{path}: {len(image.shape)} dimensions {image.shape}; expected {n_dimensions}.")
    if like is not None:
        if image.shape[:3] != like.shape:
            raise RecordingError(
                f"{path}: a grid of {image.shape[:3]} voxels; expected {like.shape}, the mask's. "
                "Resample one to the other."
            )
        if not np.allclose(image.affine, like.affine, atol=1e-3):
            raise RecordingError(
                f"{path}: its affine differs from the mask's by up to {abs(image.affine - like.affine).max():.3g}, "
                "so the same voxel lies elsewhere in the brain. Resample one to the other."
            )
    return image


def read_volume(path, like=None):
    """Read a single volume.

    Parameters
    ----------
    path : path
    like : Nifti1Image, optional
        The mask: the volume must have its grid and affine.

    Returns
    -------
    values : ndarray, shape (n_x, n_y, n_z)

    Raises
    ------
    RecordingError
        If it cannot be read whole, or lies on another grid.
    """
    image = open_image(path, like)
    try:
        with np.errstate(all="ignore"), whole_array(image) as array:
            return np.asarray(array)
    except Exception as error:  # whatever a damaged file makes nibabel, gzip and zlib raise
        raise RecordingError(f"{path}: cut off or damaged ({error}). Copy it again.") from None


def read_region(path, like=None):
    """Read which voxels lie in a mask or a region.

    Parameters
    ----------
    path : path
    like : Nifti1Image, optional
        The mask: the region must have its grid and affine.

    Returns
    -------
    inside : ndarray of bool, shape (n_x, n_y, n_z)

    Raises
    ------
    RecordingError
        If it cannot be read whole, has values that are not finite, or lies on another grid.
    """
    values = read_volume(path, like)
    if not np.isfinite(values).all():
        raise RecordingError(f"{path}: holds values that are not finite. Write 1 inside the mask and 0 outside.")
    return values != 0


def read_mask(path):
    """Open a mask and make sure that it holds voxels.

    Parameters
    ----------
    path : path

    Returns
    -------
    mask_img : Nifti1Image
        Non-zero inside the mask.

    Raises
    ------
    RecordingError
        If it cannot be read, has values that are not finite, or is empty.
    """
    if not read_region(path).any():
        raise RecordingError(f"{path}: an empty mask; expected at least one voxel that is not 0.")
    return open_image(path)


def read_voxels(path, mask_img, label_file=None, n_rows=None):
    """Read the mask's voxels of one run, as they are stored.

    Parameters
    ----------
    path : path
    mask_img : Nifti1Image
    label_file : path, optional
        What was on the screen during this run.
    n_rows : int, optional
        How many rows it has; there must be as many volumes.

    Returns
    -------
    values : ndarray of float32, shape (n_volumes, n_voxels)

    Raises
    ------
    RecordingError
        If the run cannot be read whole, lies on another grid, has another number of volumes, has more values in the
        mask than can be computed with, or some that are not finite as float32.
    """
    image = open_image(path, like=mask_img, n_dimensions=4)
    if n_rows not in (None, image.shape[3]):
        raise RecordingError(
            f"{path}: {image.shape[3]} volumes; expected {n_rows}, the number of rows in {label_file}."
        )
    voxels = np.nonzero(np.asarray(mask_img.dataobj))
    if image.shape[3] * voxels[0].size > MAX_VALUES:
        raise RecordingError(
            f"{path}: {image.shape[3]} volumes of {voxels[0].size} voxels in the mask are too many to compute with; "
            f"expected at most {MAX_VALUES} values. Take fewer voxels into the mask, or split the run."
        )
    # The whole run would be some 20 times as large as what the mask keeps: read volume by volume, keep the voxels only.
    values = np.empty((image.shape[3], voxels[0].size), dtype=np.float32)
    number = 0
    try:
        with np.errstate(all="ignore"), whole_array(image) as volumes:
            for number in range(image.shape[3]):
                values[number] = volumes[..., number][voxels]
    except Exception as error:  # whatever a damaged file makes nibabel, gzip and zlib raise
        raise RecordingError(
            f"{path}: cut off or damaged, volume {number + 1} of {image.shape[3]} could not be read ({error}). "
            "Copy it again."
        ) from None
    bad = ~np.isfinite(values)
    if bad.any():
        raise RecordingError(
            f"{path}: values that are not finite in {bad.any(axis=0).sum()} voxels of the mask, first in volume "
            f"{bad.any(axis=1).argmax() + 1}. Repair the volumes, or take these voxels out of the mask."
        )
    return values


def load_stimuli(label_file, stimulus_shape=None):
    """The images of one run, as they were seen.

    Parameters
    ----------
    label_file : path
        CSV, one row a volume; the pixels of an image stand column by column (Fortran's order).
    stimulus_shape : (int, int), optional
        Rows and columns of an image. Default: a square.

    Returns
    -------
    images : ndarray of float32, shape (n_volumes, n_rows, n_columns)
        Pixel values as stored; a rest volume is -1 throughout.

    Raises
    ------
    RecordingError
        If the file is not a table of finite numbers, or its rows do not fit the shape.
    """
    rows = _read_table(label_file)
    n_pixels = rows.shape[1]
    if stimulus_shape is None:
        if math.isqrt(n_pixels) ** 2 != n_pixels:
            raise RecordingError(
                f"{label_file}: {n_pixels} pixels a row, which is no square image. "
                "Say its rows and columns with stimulus_shape, such as [9, 7]."
            )
        stimulus_shape = (math.isqrt(n_pixels),) * 2
    n_rows, n_columns = stimulus_shape
    if n_rows * n_columns != n_pixels:
        raise RecordingError(
            f"{label_file}: {n_pixels} pixels a row; expected {n_rows * n_columns}, {n_rows} rows of {n_columns}."
        )
    return rows.reshape(-1, n_columns, n_rows).swapaxes(1, 2)


#: A plain number, as it may stand between two commas; of many digits in a row, there is one way to take them.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)


def _read_table(path):
    """A CSV file as a matrix of finite numbers; lines that are blank do not count."""
    try:
        text = _read_text(path)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: not a text in UTF-8 that can be read ({error}). Save it as CSV again.") from None
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise RecordingError(f"{path}: empty; expected one row a volume.")
    try:
        with np.errstate(over="ignore"):
            rows = np.loadtxt(lines, delimiter=",", dtype=np.float32, ndmin=2, comments=None)
    except ValueError:
        raise RecordingError(
            f"{path}: not a table of numbers ({_first_fault(lines)}). "
            "Expected one row a volume, numbers with commas between them."
        ) from None
    if not np.isfinite(rows).all():
        row = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
        raise RecordingError(f"{path}: row {row + 1} holds a value that is not finite; expected numbers only.")
    return rows


def _read_text(path):
    """Text of a file of bounded size."""
    if not Path(path).is_file():  # a pipe would be waited for
        raise ValueError("not a file")
    if (size := Path(path).stat().st_size) > MAX_LABEL_BYTES:
        raise ValueError(f"{size} bytes; expected at most {MAX_LABEL_BYTES}")
    return Path(path).read_text(encoding="utf-8-sig")  # spreadsheets like to put a byte-order mark first


def _first_fault(lines):
    """What keeps lines from being rows of a table."""
    width = lines[0].count(",") + 1
    for number, line in enumerate(lines, start=1):
        cells = line.split(",")
        if len(cells) != width:
            return f"row {number} has {len(cells)} values, the first has {width}"
        for cell in cells:
            if not _NUMBER.fullmatch(cell.strip()):
                return f"row {number} holds {cell[:30]!r}"
    return "no reason known"
