"""Open a NIfTI file of which nothing is known yet: what its header says is checked before anything is done about it.

A header of a few bytes can ask for any amount of memory, and a compressed file of a few bytes can hold any amount of
zeros. So nibabel only gets what is known to be an image of bounded size. Extensions, which the book has no use for, are
skipped unread.
"""

import logging
import math
from contextlib import contextmanager
from pathlib import Path

import nibabel
import numpy as np
from isal import igzip
from nibabel.arrayproxy import ArrayProxy
from nibabel.openers import Opener

from ..errors import RecordingError

#: The most voxels that one volume may have: those of a whole brain at 0.5 mm, and some.
MAX_VOXELS = 2**26
#: How many times its size a gzip file can hold at most, by the definition of its format.
MAX_COMPRESSION = 1032
#: How many bytes may follow the last volume.
MAX_REST = 2**20

#: nibabel repairs what can be repaired in a header, and says so, without naming the file, to a logger: to this one.
_SILENT = logging.Logger(__name__)
_SILENT.addHandler(logging.NullHandler())


class _FastOpener(Opener):
    """nibabel's own, but for gzip: ISA-L unpacks and checks in a fraction of the time that Python's gzip takes."""

    compress_ext_map = {**Opener.compress_ext_map, ".gz": (igzip.open, ("mode",))}


def open_nifti(path):
    """Open a NIfTI file; its voxels are not read yet.

    Parameters
    ----------
    path : path

    Returns
    -------
    image : Nifti1Image or Nifti2Image
        Of any number of dimensions, of real numbers, not larger than the file can hold, with an affine that can be
        inverted.

    Raises
    ------
    RecordingError
        If it is no such file.
    """
    if not Path(path).is_file():
        raise RecordingError(f"{path}: not a file that can be read. Put the image itself in this place.")
    try:
        with np.errstate(all="ignore"):
            kind, header = _read_header(path)
            affine = header.get_best_affine()
            array = ArrayProxy(str(path), header, keep_file_open=True)
            fault = _fault(array, affine, _most_bytes(path))
    # A damaged header can make nibabel raise whatever Python's operations on unexpected values raise.
    except Exception as error:
        raise RecordingError(
            f"{path}: not a NIfTI file that can be read ({error}). Copy or convert it again."
        ) from None
    if fault:
        raise RecordingError(f"{path}: {fault} Convert it again.")
    header["vox_offset"] = 0  # told by the array; without the extensions, it would be another one
    return kind(array, affine, header, file_map=kind.filespec_to_file_map(str(path)))


@contextmanager
def whole_array(image):
    """The array of an image of :func:`open_nifti`, from a file opened for the purpose; its rest is checked, too.

    Yields
    ------
    array : ArrayProxy
        Volumes are best read one after another.

    Raises
    ------
    Exception
        In the end, if the compressed file is not whole, or holds much more than its header says.
    """
    array = image.dataobj
    with _FastOpener(image.get_filename()) as file:
        # nibabel would map the file into memory, compressed as it is: it does not see that through the opener.
        yield ArrayProxy(file, (array.shape, array.dtype, array.offset, array.slope, array.inter), mmap=False)
        # Its checksum comes last in a gzip file, and is compared only when somebody reads on to the end.
        if len(file.read(MAX_REST + 1)) > MAX_REST:
            raise ValueError("it holds much more than its header says")


def _read_header(path):
    """Class of the image and its header, without extensions."""
    with Opener(str(path)) as file:
        start = file.read(nibabel.Nifti2Header.sizeof_hdr)
    for kind in (nibabel.Nifti1Image, nibabel.Nifti2Image):
        if kind.header_class.may_contain_header(start):
            header = kind.header_class(start[: kind.header_class.sizeof_hdr], check=False)
            header.check_fix(logger=_SILENT)
            return kind, header
    raise ValueError("it does not begin like one")


def _most_bytes(path):
    """How many bytes a file can hold, once decompressed."""
    return Path(path).stat().st_size * (MAX_COMPRESSION if Path(path).suffix == ".gz" else 1)


def _fault(array, affine, most_bytes):
    """What makes an image unusable, in a sentence; None if nothing does."""
    shape, dtype = array.shape, array.dtype
    if min(shape, default=0) < 1:
        return f"its header tells a shape of {shape}; expected whole numbers from 1."
    if dtype.kind not in "iuf" or dtype.itemsize > 8:
        return f"its voxels are of the type {dtype}; expected integers or real numbers of at most 64 bits."
    if array.offset < nibabel.Nifti1Header.single_vox_offset:
        return f"its voxels begin at byte {array.offset}, which is inside the header."
    if math.prod(shape[:3]) > MAX_VOXELS:
        return f"{math.prod(shape[:3])} voxels a volume {shape[:3]}; expected at most {MAX_VOXELS}."
    if array.offset + math.prod(shape) * dtype.itemsize > most_bytes:
        return f"its header tells more than the file can hold, {shape} values of {dtype} from byte {array.offset}."
    if not np.isfinite(affine).all() or np.linalg.matrix_rank(affine[:3, :3]) < 3:
        return f"its affine {affine[:3].tolist()} places no voxels in space."
    return None
