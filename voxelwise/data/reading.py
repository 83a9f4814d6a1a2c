"""Read one file of a recording, or raise a RecordingError: which file, what was found and expected, what to do.

A header can ask for any amount of memory: it is held against the size of its file, and a run is read volume by volume.
"""

import math
import os
from numbers import Integral

import nibabel
import numpy as np
import pandas as pd
from isal import igzip
from nibabel.affines import apply_affine
from nibabel.volumeutils import apply_read_scaling
from nilearn.surface import load_surf_data

from ..errors import RecordingError

MAX_COMPRESSION = 1032  # times its size, what a gzip file can hold at most, by the definition of its format
TOLERANCE = 0.1  # voxels, how far apart two images may put the same voxel
ALMOST = 0.01  # how near to -1 all pixels of a picture cannot be: it is meant as rest


def attempt(faults, read, *arguments):
    """What a reading function returns; or None, and its faults, a line each, are in the list of faults."""
    try:
        return read(*arguments)
    except RecordingError as error:
        faults.extend(fault for fault in str(error).splitlines() if fault not in faults)


def open_image(path, like=None, n_dimensions=3):
    """A NIfTI image of which the header was read, that its file can hold, on the grid of the mask ``like`` if given.

    Axes of length 1 may follow the third, or in a run (``n_dimensions=4``) the fourth.
    """
    try:
        with np.errstate(all="ignore"):
            image = nibabel.load(path)
            fault = _fault(image, n_dimensions, like)
    except Exception as error:  # a damaged header can make nibabel raise whatever operations on odd values raise
        raise RecordingError(f"{path}: not a NIfTI file that can be read ({error}). Copy it again.") from None
    if fault:
        raise RecordingError(f"{path}: {fault}")
    return image


def read_volumes(image, voxels=slice(None)):
    """Yield the values of each volume, or of some voxels, counted in Fortran's order, and make sure of the end."""
    path, data, n_voxels = image.get_filename(), image.dataobj, math.prod(image.shape[:3])
    # ISA-L unpacks in a fraction of the time that Python's gzip takes.
    unpack = igzip.open if path.endswith(".gz") else open
    try:
        with unpack(path, "rb") as file:
            file.seek(data.offset)
            for _ in range(math.prod(image.shape[3:])):
                stored = np.frombuffer(file.read(n_voxels * data.dtype.itemsize), data.dtype, n_voxels)
                with np.errstate(all="ignore"):
                    yield apply_read_scaling(stored[voxels], data.slope, data.inter)
            while file.read(2**20):  # on to the end, where the checksum is compared
                pass
    except Exception as error:  # whatever a damaged file makes the modules that unpack it raise
        raise RecordingError(f"{path}: cut off or damaged ({error}). Copy it again.") from None


def read_volume(path, like=None):
    """Values of a single volume, ndarray of shape (n_x, n_y, n_z)."""
    image = open_image(path, like)
    (values,) = read_volumes(image)
    return values.reshape(image.shape[:3], order="F")


def read_t_r(path):
    """Seconds from volume to volume, as the header of a run tells them."""
    header = open_image(path, n_dimensions=4).header
    # Where a header names no unit, seconds are meant.
    return float(header["pixdim"][4]) * {"msec": 1e-3, "usec": 1e-6}.get(header.get_xyzt_units()[1], 1)


def read_region(path, like=None):
    """Which voxels lie in a mask or region, ndarray of bool: one value inside, outside 0 or what is not a number."""
    values = read_volume(path, like)
    inside = (values != 0) & ~np.isnan(values)
    found = values[inside]
    if not (np.isfinite(found) & (found == found[:1])).all():
        raise RecordingError(f"{path}: values from {found.min():g} to {found.max():g}; expected 1 inside, 0 outside.")
    return inside


def read_mask(*paths):
    """A mask, or what several on one grid have in common, as a Nifti1Image of 0 and 1 in memory; not all are 0."""
    first = open_image(paths[0])
    inside = np.logical_and.reduce([read_region(path, first) for path in paths])
    if not inside.any():
        others = f" together with {len(paths) - 1} others" * (len(paths) > 1)
        raise RecordingError(f"{paths[0]}{others}: an empty mask; expected at least one voxel that is not 0.")
    return nibabel.Nifti1Image(inside.astype(np.uint8), first.affine)


def first_file(path):
    """The file of a run of volumes, or of a run on surfaces the left hemisphere's."""
    return path[0] if isinstance(path, tuple) else path


def read_surface(paths):
    """Values of the vertices of a run, one hemisphere after the other; ndarray of shape (n_volumes, n_vertices).

    A vertex whose values are not all finite, as the medial wall's may be, has 0 throughout.
    """
    try:
        values = np.vstack([load_surf_data(path) for path in paths]).T.astype(np.float32)
    except Exception as error:  # a damaged file makes nibabel raise whatever its parser of XML raises
        raise RecordingError(f"{paths[0]}: it or its other hemisphere cannot be read as GIFTI ({error}).") from None
    values[:, ~np.isfinite(values).all(axis=0)] = 0
    return values


def read_voxels(image, mask_img):
    """Values of the mask's voxels in an image of a run, finite; ndarray of shape (n_volumes, n_voxels).

    They are float32 where that holds every digit, else float64.
    """
    voxels = np.ravel_multi_index(np.nonzero(np.asarray(mask_img.dataobj)), mask_img.shape, order="F")
    exact = np.can_cast(image.dataobj.dtype, np.float32) and (image.dataobj.slope, image.dataobj.inter) == (1, 0)
    # The whole run would be some 20 times as large as what the mask keeps: read volume by volume, keep the voxels only.
    values = np.empty((image.shape[3], voxels.size), np.float32 if exact else np.float64)
    for number, volume in enumerate(read_volumes(image, voxels)):
        values[number] = volume
    bad = ~np.isfinite(values)
    if bad.any():
        found = f"{bad.any(axis=0).sum()} voxels of the mask, first in volume {bad.any(axis=1).argmax() + 1}"
        raise RecordingError(f"{image.get_filename()}: not finite in {found}; expected numbers. Use a smaller mask.")
    return values


def load_stimuli(label_file, stimulus_shape=None):
    """The stimuli of one run, as they were seen.

    Parameters
    ----------
    label_file : path
        CSV, one row a volume; the pixels of a stimulus stand column by column (Fortran's order).
    stimulus_shape : (int, int), optional
        Rows and columns of a stimulus. Default: a square.

    Returns
    -------
    stimuli : ndarray of float32, shape (n_volumes, n_rows, n_columns)
        Pixel values as stored; a rest volume is -1 throughout. A RecordingError if these are no finite numbers or do
        not fit the shape, a ValueError if that is none.
    """
    shape, rows = as_shape(stimulus_shape), _read_table(label_file)
    n_pixels = rows.shape[1]
    n_rows, n_columns = shape or (math.isqrt(n_pixels),) * 2
    if n_rows * n_columns != n_pixels:
        found = f"{n_pixels} pixels a row, not {n_rows} x {n_columns}"
        raise RecordingError(f"{label_file}: {found}. Say their stimulus_shape, as in [9, 7].")
    return rows.reshape(-1, n_columns, n_rows).swapaxes(1, 2)


def as_shape(stimulus_shape):
    """Rows and columns of a stimulus as a tuple of two int; None stays None, anything else is a ValueError."""
    if stimulus_shape is None:
        return None
    if np.shape(stimulus_shape) != (2,) or not all(isinstance(n, Integral) and n > 0 for n in stimulus_shape):
        raise ValueError(f"stimulus_shape={stimulus_shape!r}: expected the rows and columns of a stimulus, as (9, 7).")
    return tuple(map(int, stimulus_shape))


def _fault(image, n_dimensions, like):
    """What makes an image unusable, in a sentence; None if nothing does."""
    shape, dtype, affine, path = image.shape, image.dataobj.dtype, image.affine, image.get_filename()
    most_bytes = os.path.getsize(path) * (MAX_COMPRESSION if path.endswith(".gz") else 1)
    if len(shape) < n_dimensions or math.prod(shape[n_dimensions:]) != 1 or min(shape) < 1:
        return f"{len(shape)} dimensions {shape}; expected {n_dimensions}, each of at least 1."
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        return f"its voxels are of the type {dtype}; expected integers or real numbers of at most 64 bits."
    if image.dataobj.offset + math.prod(shape) * dtype.itemsize > most_bytes:
        return f"its header tells more than the file can hold, {shape} values of {dtype}. Copy it again."
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        return f"its affine {affine[:3].tolist()} places no voxels in space. Convert it again."
    if like is not None and shape[:3] != like.shape[:3]:
        return f"a grid of {shape[:3]} voxels; expected {like.shape[:3]}, the mask's. Resample one to the other."
    corners = np.array(list(np.ndindex(2, 2, 2))) * np.subtract(shape[:3], 1)
    if like is None or abs(apply_affine(np.linalg.inv(like.affine) @ affine, corners) - corners).max() <= TOLERANCE:
        return None
    return (
        f"its affine differs from the mask's by up to {abs(affine - like.affine).max():.3g}, so the same voxel lies "
        "elsewhere. Resample one to the other; or, if one does not say where it lies, write the other's affine into it."
    )


def _read_table(path):
    """A CSV file as a matrix of finite numbers; lines that are blank do not count."""
    try:
        cells = pd.read_csv(path, header=None, skipinitialspace=True, encoding="utf-8-sig").to_numpy(object)
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: not a table that can be read ({str(error).strip()}). Save it again.") from None
    with np.errstate(over="ignore"):  # what float32 cannot hold is not finite in it
        rows = pd.to_numeric(cells.ravel(), errors="coerce").astype(np.float32).reshape(cells.shape)
    for row, column in np.argwhere(~np.isfinite(rows)):
        place = f"row {row + 1}, column {column + 1}"
        raise RecordingError(f"{path}: {place} holds {cells[row, column]!r}; expected finite numbers only.")
    almost_rest = (abs(rows + 1) < ALMOST).all(axis=1) & (rows != -1).any(axis=1)
    if almost_rest.any():
        raise RecordingError(f"{path}: row {almost_rest.argmax() + 1} is almost -1 throughout; rest is -1 exactly.")
    for name, numbers in (("row", rows[0]), ("column", rows[:, 0])):
        if len(numbers) > 2 and (numbers == np.arange(len(numbers))).all():
            raise RecordingError(f"{path}: its first {name} counts 0, 1, 2, ...; expected pixels, no header, no index.")
    return rows
