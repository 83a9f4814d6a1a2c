"""Read one file of a recording, or say what is wrong with it.

Every road to the data leads through these functions, so a fault is found wherever the file comes from, and is told
in the same words: which file, what was found, what was expected, what to do.
"""

import math
import zlib
from pathlib import Path

import nibabel
import numpy as np
from nibabel.filebasedimages import ImageFileError
from nibabel.spatialimages import HeaderDataError

from .errors import RecordingError

#: What a foreign, damaged or truncated file makes nibabel raise.
_UNREADABLE = (OSError, EOFError, ValueError, zlib.error, ImageFileError, HeaderDataError)


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
    try:
        image = nibabel.load(path, keep_file_open=True)
    except _UNREADABLE as error:
        raise RecordingError(
            f"{path}: not a NIfTI file that can be read ({error}). Copy or convert it again."
        ) from None
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
    image = open_image(path)
    try:
        values = np.asarray(image.dataobj)
    except _UNREADABLE as error:
        raise RecordingError(f"{path}: cut off or damaged ({error}). Copy it again.") from None
    if not np.isfinite(values).all():
        raise RecordingError(f"{path}: holds values that are not finite. Write 1 inside the mask and 0 outside.")
    if not values.any():
        raise RecordingError(f"{path}: an empty mask; expected at least one voxel that is not 0.")
    return image


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
        If the run cannot be read whole, lies on another grid, has another number of volumes, or has values in the mask
        that are not finite.
    """
    image = open_image(path, like=mask_img, n_dimensions=4)
    if n_rows not in (None, image.shape[3]):
        raise RecordingError(
            f"{path}: {image.shape[3]} volumes; expected {n_rows}, the number of rows in {label_file}."
        )
    voxels = np.nonzero(np.asarray(mask_img.dataobj))
    # The whole run would be some 20 times as large as what the mask keeps: read volume by volume, keep the voxels only.
    values = np.empty((image.shape[3], voxels[0].size), dtype=np.float32)
    for number in range(image.shape[3]):
        try:
            values[number] = image.dataobj[..., number][voxels]
        except _UNREADABLE as error:
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


def load_images(label_file, stimulus_shape=None):
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


def _read_table(path):
    """A CSV file as a matrix of finite numbers."""
    try:
        text = Path(path).read_text(encoding="utf-8-sig")  # spreadsheets like to put a byte-order mark first
        lines = [line for line in text.splitlines() if line.strip()]
        rows = np.loadtxt(lines, delimiter=",", dtype=np.float32, ndmin=2) if lines else np.empty((0, 0))
    except (OSError, ValueError) as error:
        raise RecordingError(
            f"{path}: not a table of numbers ({error}). Expected one row a volume, numbers with commas between them."
        ) from None
    if rows.size == 0:
        raise RecordingError(f"{path}: empty; expected one row a volume.")
    if not np.isfinite(rows).all():
        row = np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]
        raise RecordingError(f"{path}: row {row + 1} holds a value that is not finite; expected numbers only.")
    return rows
