"""Read one file of a recording, or raise a RecordingError: which file, what was found and expected, what to do.

A header of a few bytes can ask for any amount of memory, and a compressed file can hold any amount of zeros. So a
header is held against the size of its file first, and a run is read volume by volume. Extensions are skipped unread.
"""

import gzip
import itertools
import logging
import math
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path

import nibabel
import numpy as np
from isal import igzip
from nibabel.affines import apply_affine
from nibabel.volumeutils import apply_read_scaling
from nilearn.surface import load_surf_data

from ..errors import RecordingError

MAX_COMPRESSION = 1032  # times its size, what a gzip file can hold at most, by the definition of its format
MAX_REST = 2**20  # bytes that may follow the last volume
TOLERANCE = 0.1  # voxels, how far apart two images may put the same voxel
ALMOST = 0.01  # how near to -1 all pixels of a picture cannot be: it is meant as rest

#: nibabel repairs what can be repaired in a header, and says so, without naming the file, to a logger: to this one.
_SILENT = logging.Logger(__name__, level=logging.CRITICAL + 1)


@dataclass(frozen=True)
class StoredImage:
    """A NIfTI file, of which the header was read; scaling is slope and intercept, t_r the time between volumes."""

    path: Path
    shape: tuple
    affine: np.ndarray
    dtype: np.dtype
    offset: int
    scaling: tuple
    t_r: float

    def volumes(self, voxels=slice(None)):
        """Yield the values of each volume, or of some voxels, counted in Fortran's order, and make sure of the end."""
        n_voxels, n_volumes, number = math.prod(self.shape[:3]), math.prod(self.shape[3:]), 0
        try:
            # ISA-L unpacks in a fraction of the time that Python's gzip takes.
            with _open_stream(self.path, igzip) as file:
                file.seek(self.offset)
                for number in range(n_volumes):  # noqa: B007
                    content = file.read(n_voxels * self.dtype.itemsize)
                    with np.errstate(all="ignore"):
                        yield apply_read_scaling(np.frombuffer(content, self.dtype, n_voxels)[voxels], *self.scaling)
                # Its checksum comes last in a gzip file, and is compared only when somebody reads on to the end.
                if len(file.read(MAX_REST + 1)) > MAX_REST:
                    raise ValueError("it holds much more than its header says")
        except Exception as error:  # whatever a damaged file makes the modules that unpack it raise
            unread = f"volume {number + 1} of {n_volumes} could not be read ({error})"
            raise RecordingError(f"{self.path}: cut off or damaged, {unread}. Copy it again.") from None


def attempt(faults, read, *arguments):
    """What a reading function returns; or None, and its fault is in the list of faults."""
    try:
        return read(*arguments)
    except RecordingError as error:
        if str(error) not in faults:
            faults.append(str(error))


def open_image(path, like=None, n_dimensions=3):
    """Read the header of a NIfTI file: a StoredImage that the file can hold, on the grid of the mask ``like`` if given.

    Axes of length 1 after the third, or for a run (``n_dimensions=4``) after the fourth, are dropped.
    """
    path = Path(path)
    _refuse_no_file(path)
    try:
        with np.errstate(all="ignore"):
            image = _read_header(path, n_dimensions)
            fault = _fault(image, n_dimensions, like)
    except Exception as error:  # a damaged header can make nibabel raise whatever operations on odd values raise
        raise RecordingError(f"{path}: not a NIfTI file that can be read ({error}). Copy it again.") from None
    if fault:
        raise RecordingError(f"{path}: {fault}")
    return image


def read_volume(path, like=None):
    """Values of a single volume, ndarray of shape (n_x, n_y, n_z)."""
    image = open_image(path, like)
    (values,) = image.volumes()
    return values.reshape(image.shape, order="F")


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
    path, n_volumes = image.path, image.shape[3]
    voxels = np.ravel_multi_index(np.nonzero(np.asarray(mask_img.dataobj)), mask_img.shape, order="F")
    exact = np.can_cast(image.dtype, np.float32) and image.scaling in ((None, None), (1, 0))
    # The whole run would be some 20 times as large as what the mask keeps: read volume by volume, keep the voxels only.
    try:
        values = np.empty((n_volumes, voxels.size), np.float32 if exact else np.float64)
    except MemoryError:
        size = f"{n_volumes} volumes of {voxels.size} voxels in the mask"
        raise RecordingError(f"{path}: {size} do not fit into memory. Take fewer into the mask.") from None
    for number, volume in enumerate(image.volumes(voxels)):
        values[number] = volume
    bad = ~np.isfinite(values)
    if bad.any():
        n_voxels, first = bad.any(axis=0).sum(), bad.any(axis=1).argmax() + 1
        raise RecordingError(f"{path}: not finite in {n_voxels} voxels of the mask, first in volume {first}.")
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
    shape, rows = as_shape(stimulus_shape), _read_table(Path(label_file))
    n_pixels = rows.shape[1]
    n_rows, n_columns = shape or (math.isqrt(n_pixels),) * 2
    if n_rows * n_columns != n_pixels:
        wanted = f"; expected {n_rows * n_columns}, {n_rows} rows of {n_columns}" if shape else ", which is no square"
        raise RecordingError(f"{label_file}: {n_pixels} pixels a row{wanted}. Say their stimulus_shape, as in [9, 7].")
    return rows.reshape(-1, n_columns, n_rows).swapaxes(1, 2)


def as_shape(stimulus_shape):
    """Rows and columns of a stimulus as a tuple of two int; None stays None, anything else is a ValueError."""
    if stimulus_shape is None:
        return None
    if np.shape(stimulus_shape) != (2,) or not all(isinstance(n, Integral) and n > 0 for n in stimulus_shape):
        raise ValueError(f"stimulus_shape={stimulus_shape!r}: expected the rows and columns of a stimulus, as (9, 7).")
    return tuple(map(int, stimulus_shape))


def _refuse_no_file(path):
    """Raise a RecordingError for a folder, or for a pipe, which would be waited for."""
    if not path.is_file():
        raise RecordingError(f"{path}: not a file that can be read. Put the file itself in this place.")


def _open_stream(path, unpacker):
    """A file to read from, through a module that unpacks it if need be."""
    return unpacker.open(path) if path.suffix == ".gz" else open(path, "rb")


def _read_header(path, n_dimensions):
    with _open_stream(path, gzip) as file:  # ISA-L would read on, to where the file may be cut off
        start = file.read(nibabel.Nifti2Header.sizeof_hdr)
    kinds = [kind for kind in (nibabel.Nifti1Header, nibabel.Nifti2Header) if kind.may_contain_header(start)]
    if not kinds:
        raise ValueError("it does not begin like one")
    header = kinds[0](start[: kinds[0].sizeof_hdr], check=False)
    header.check_fix(logger=_SILENT)
    shape = header.get_data_shape()
    while len(shape) > n_dimensions and shape[-1] == 1:
        shape = shape[:-1]
    stored = header.get_data_dtype(), header.get_data_offset(), header.get_slope_inter(), float(header["pixdim"][4])
    return StoredImage(path, shape, header.get_best_affine(), *stored)


def _fault(image, n_dimensions, like):
    """What makes an image unusable, in a sentence; None if nothing does."""
    shape, dtype, affine = image.shape, image.dtype, image.affine
    most_bytes = image.path.stat().st_size * (MAX_COMPRESSION if image.path.suffix == ".gz" else 1)
    if min(shape, default=0) < 1:
        return f"its header tells a shape of {shape}; expected whole numbers from 1. Convert it again."
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        return f"its voxels are of the type {dtype}; expected integers or real numbers of at most 64 bits."
    if image.offset < nibabel.Nifti1Header.single_vox_offset:
        return f"its voxels begin at byte {image.offset}, which is inside the header. Convert it again."
    if image.offset + math.prod(shape) * dtype.itemsize > most_bytes:
        return f"its header tells more than the file can hold, {shape} values of {dtype}. Copy it again."
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        return f"its affine {affine[:3].tolist()} places no voxels in space. Convert it again."
    if len(shape) != n_dimensions:
        return f"{len(shape)} dimensions {shape}; expected {n_dimensions}."
    if like is not None and shape[:3] != like.shape:
        return f"a grid of {shape[:3]} voxels; expected {like.shape}, the mask's. Resample one to the other."
    corners = np.array(list(itertools.product(*((0, n - 1) for n in shape[:3]))))
    if like is None or abs(apply_affine(np.linalg.inv(like.affine) @ affine, corners) - corners).max() <= TOLERANCE:
        return None
    return (
        f"its affine differs from the mask's by up to {abs(affine - like.affine).max():.3g}, so the same voxel lies "
        "elsewhere. Resample one to the other; or, if one does not say where it lies, write the other's affine into it."
    )


def _read_table(path):
    """A CSV file as a matrix of finite numbers; lines that are blank do not count."""
    _refuse_no_file(path)
    try:
        text = path.read_text(encoding="utf-8-sig")  # spreadsheets like to put a byte-order mark first
    except (OSError, ValueError) as error:
        raise RecordingError(f"{path}: not a text in UTF-8 that can be read ({error}). Save it as CSV again.") from None
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise RecordingError(f"{path}: empty; expected one row a volume.")
    try:
        rows = _parse(lines)
    except ValueError:
        raise RecordingError(f"{path}: not a table of numbers: {_first_fault(lines)}.") from None
    almost_rest = (abs(rows + 1) < ALMOST).all(axis=1) & (rows != -1).any(axis=1)
    for bad, said in (
        (~np.isfinite(rows).all(axis=1), "holds a value that is not finite; expected numbers only"),
        (almost_rest, "is almost -1 throughout; rest is -1 exactly"),
    ):
        if bad.any():
            raise RecordingError(f"{path}: row {bad.argmax() + 1} {said}.")
    for name, numbers in (("row", rows[0]), ("column", rows[:, 0])):
        if len(numbers) > 2 and (numbers == np.arange(len(numbers))).all():
            raise RecordingError(f"{path}: its first {name} counts 0, 1, 2, ...; expected pixels, no header, no index.")
    return rows


def _parse(lines):
    """Lines of numbers with commas between them as a matrix."""
    with np.errstate(over="ignore"):
        return np.loadtxt(lines, delimiter=",", dtype=np.float32, ndmin=2, comments=None)


def _first_fault(lines):
    """The first row that is none of a table, and why."""
    for number, line in enumerate(lines, start=1):
        try:
            _parse([lines[0], line])
        except ValueError as error:  # it counts rows its own way
            return f"row {number}: {str(error).partition(' at row')[0][:80]}"
