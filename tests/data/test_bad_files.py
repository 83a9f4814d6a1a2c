"""Whatever a file holds, the loaders give the right answer, as nibabel reads it, or a RecordingError."""

import functools
import gzip
import re
import tracemalloc

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxelwise import RecordingError
from voxelwise.data.cleaning import read_values
from voxelwise.data.reading import read_mask, read_t_r

SHAPE, AFFINE = (4, 3, 3), np.diag([-2.0, 2.0, 2.5, 1.0])
MASK = np.random.default_rng(0).random(SHAPE) < 0.5


def image_bytes(stored="float32", kind=nibabel.Nifti1Image, order="<"):
    values = 100 + 10 * np.random.default_rng(1).normal(size=(*SHAPE, 9))
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(stored).newbyteorder(order))
    return kind(values if stored == "int16" else values.astype(stored), AFFINE, header).to_bytes()


#: A usual one, one that scales integers, and one of the other order and version.
IMAGES = [image_bytes(), image_bytes("int16"), image_bytes("float64", nibabel.Nifti2Image, ">")]
RUN = IMAGES[0]
pack = functools.partial(gzip.compress, compresslevel=1, mtime=0)


def forge(**fields):
    """The bytes of the usual image, with fields of its header replaced."""
    header = nibabel.Nifti1Header(RUN[:348], check=False)
    for name, values in fields.items():
        header[name] = values
    return header.binaryblock + RUN[348:]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    nibabel.Nifti1Image(MASK.astype(np.uint8), AFFINE).to_filename(folder / "mask.nii.gz")
    return folder / "run.nii.gz"


def read_run(path, content, said=""):
    """The values of a run of these bytes, or None if they are refused, in these words."""
    path.write_bytes(content)
    try:
        return read_values(path, read_mask(path.with_name("mask.nii.gz")))
    except RecordingError as error:
        assert re.search(f"{re.escape(str(path))}: .*{said}", str(error))


def read_by_nibabel(content):
    """The same values by nibabel."""
    kind = nibabel.Nifti2Image if b"n+2" in content[:8] else nibabel.Nifti1Image
    with np.errstate(all="ignore"):
        return np.asarray(kind.from_bytes(content).dataobj).reshape(*SHAPE, -1)[MASK].T


@pytest.mark.parametrize("unit, seconds", [("sec", 2.0), ("msec", 0.002), ("usec", 2e-6), ("unknown", 2.0)])
def test_time_from_volume_to_volume_is_told_in_seconds(tmp_path, unit, seconds):
    image = nibabel.Nifti1Image.from_bytes(forge(pixdim=[1, 2, 2, 2.5, 2, 0, 0, 0]))
    image.header.set_xyzt_units("mm", unit)
    image.to_filename(tmp_path / "run.nii")
    assert read_t_r(tmp_path / "run.nii") == pytest.approx(seconds, rel=1e-6)


FLIPS = st.lists(st.tuples(st.integers(0, 351) | st.integers(0, len(RUN) - 1), st.integers(0, 7)), max_size=3)


def flip(content, flips):
    changed = bytearray(content)
    for where, bit in flips:
        changed[where % len(changed)] ^= 1 << bit
    return bytes(changed)


@given(image=st.sampled_from(IMAGES), flips=FLIPS, damage=FLIPS, kept=st.floats(0, 1, exclude_max=True))
def test_flipped_bits_give_what_is_there_or_are_refused(place, image, flips, damage, kept):
    content = flip(image, flips)
    values, packed = read_run(place, pack(content)), pack(content)
    if values is not None:
        np.testing.assert_array_equal(values, read_by_nibabel(content))
    assert read_run(place, packed[: int(kept * len(packed))]) is None
    damaged = read_run(place, flip(packed, damage))
    assert damaged is None or (values is not None and np.array_equal(damaged, values, equal_nan=True))


def test_a_forged_header_is_refused_for_what_it_is(place):
    for content, message in (
        (forge(dim=(4, 1000, 1000, 1000, 9, 1, 1, 1)), "more than the file can hold"),
        (forge(dim=(4, *SHAPE, 10, 1, 1, 1)), "cut off or damaged"),
        (forge(dim=(4, *SHAPE, 0, 1, 1, 1)), "expected 4, each of at least 1"),
        (forge(datatype=128), "type .*'R'"),
        (forge(qform_code=0, srow_x=[0] * 4), "places no voxels"),
    ):
        assert read_run(place, pack(content), message) is None
    more = pack(RUN + bytes(2**20))
    assert read_run(place, more) is not None and read_run(place, flip(more, [(-8, 0)]), "damaged") is None, "checksum"


def test_a_run_is_read_volume_by_volume(place):
    """What it takes at once is a fraction of the run."""
    volumes = np.zeros((64, 64, 30, 40), np.int16) + np.arange(40, dtype=np.int16)
    mask_img = nibabel.Nifti1Image(np.ones((64, 64, 30), np.uint8) * (np.arange(30) == 3), AFFINE)
    nibabel.Nifti1Image(volumes, AFFINE).to_filename(place)
    tracemalloc.start()
    values = read_values(place, mask_img)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (values == np.arange(40)[:, np.newaxis]).all() and peak - values.nbytes < volumes.nbytes / 4
