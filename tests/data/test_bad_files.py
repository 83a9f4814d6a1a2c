"""Whatever a file holds, the loaders give the right answer, as nibabel and NumPy read it, or a RecordingError.

``HYPOTHESIS_PROFILE=weekly`` tries more.
"""

import functools
import gzip
import os
import struct
import tracemalloc
from unittest.mock import Mock

import nibabel
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voxelwise import RecordingError, load_stimuli
from voxelwise.data.reading import read_mask, read_voxels

SHAPE = (4, 3, 3)
AFFINE = np.diag([-2.0, 2.0, 2.5, 1.0])
MASK = np.random.default_rng(0).random(SHAPE) < 0.5
#: Field of the header -> where it lies, and how it is stored, by the standard.
FIELDS = {
    "sizeof_hdr": (0, "i"), "dim": (40, "8h"), "datatype": (70, "h"), "bitpix": (72, "h"), "pixdim": (76, "8f"),
    "vox_offset": (108, "f"), "slope and intercept": (112, "2f"), "codes": (252, "2h"), "srow_x": (280, "4f"),
}  # fmt: skip


def image_bytes(stored="float32", kind=nibabel.Nifti1Image, order="<"):
    values = 100 + 10 * np.random.default_rng(1).normal(size=(*SHAPE, 9))
    header = kind.header_class(endianness=order)
    header.set_data_dtype(np.dtype(stored).newbyteorder(order))
    return kind(values if stored == "int16" else values.astype(stored), AFFINE, header).to_bytes()


#: A usual one, one that scales integers, and one of the other order and version.
IMAGES = [image_bytes(), image_bytes("int16"), image_bytes("float64", nibabel.Nifti2Image, ">")]
RUN = IMAGES[0]
pack = functools.partial(gzip.compress, compresslevel=1, mtime=0)


def forge(content, **fields):
    """The bytes of an image, with fields of its header replaced."""
    image = bytearray(content)
    for name, values in fields.items():
        struct.pack_into(f"<{FIELDS[name][1]}", image, FIELDS[name][0], *values)
    return bytes(image)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    nibabel.Nifti1Image(MASK.astype(np.uint8), AFFINE).to_filename(folder / "mask.nii.gz")
    return folder / "run.nii.gz"


def read_run(path, content):
    """The values of a run of these bytes, or None if they are refused."""
    path.write_bytes(content)
    try:
        return read_voxels(path, read_mask(path.with_name("mask.nii.gz")))
    except RecordingError as error:
        assert str(path) in str(error)


def read_by_nibabel(content):
    """The same values by nibabel; None where it chokes on extensions, which nobody asked for."""
    kind = nibabel.Nifti2Image if b"n+2" in content[:8] else nibabel.Nifti1Image
    with np.errstate(all="ignore"), nibabel.imageglobals.LoggingOutputSuppressor():
        try:
            return np.asarray(kind.from_bytes(content).dataobj).reshape(*SHAPE, -1)[MASK].T
        except nibabel.spatialimages.HeaderDataError:
            return None


def field(name):
    count, kind = int(FIELDS[name][1][:-1] or 1), FIELDS[name][1][-1]
    usual = st.floats(width=32) if kind == "f" else st.integers(-(2**15), 2**15 - 1)
    return st.tuples(*[usual | st.sampled_from([0, 1, 2, 3, 4, 8, 16, 64, 256, 512, 352])] * count)


FLIPS = st.lists(st.tuples(st.integers(0, 351) | st.integers(0, len(RUN) - 1), st.integers(0, 7)), max_size=3)


def flip(content, flips):
    content = bytearray(content)
    for where, bit in flips:
        content[where % len(content)] ^= 1 << bit
    return bytes(content)


@given(
    image=st.sampled_from(IMAGES), names=st.lists(st.sampled_from([*FIELDS]), max_size=2), flips=FLIPS, data=st.data()
)
def test_made_up_headers_and_flipped_bits_give_what_is_there_or_are_refused(place, image, names, flips, data):
    forged = forge(image, **{name: data.draw(field(name)) for name in names}) if image is RUN else image
    content = flip(forged, flips)
    values, packed = read_run(place, pack(content)), pack(content)
    expected = None if values is None else read_by_nibabel(content)
    if expected is not None:
        np.testing.assert_array_equal(values, expected)
    assert read_run(place, packed[: data.draw(st.integers(0, len(packed) - 1))]) is None
    damaged = read_run(place, flip(packed, data.draw(FLIPS)))
    assert damaged is None or (values is not None and np.array_equal(damaged, values, equal_nan=True))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (forge(RUN, dim=(4, 1000, 1000, 1000, 9, 1, 1, 1)), "more than the file can hold"),
        (forge(RUN, dim=(4, *SHAPE, 10, 1, 1, 1)), "cut off or damaged, volume 10 of 10"),
        (forge(RUN, dim=(4, *SHAPE, 0, 1, 1, 1)), "expected whole numbers from 1"),
        (forge(RUN, datatype=[128]), "type .*'R'"),
        (forge(RUN, codes=(0, 1), srow_x=[0] * 4), "places no voxels"),
        (RUN + bytes(2**20 + 1), "much more than its header says"),
    ],
)
def test_a_forged_header_is_refused_for_what_it_is(place, content, message):
    place.write_bytes(pack(content))
    with pytest.raises(RecordingError, match=rf"run.nii.gz: .*{message}"):
        read_voxels(place, read_mask(place.with_name("mask.nii.gz")))


def test_extensions_are_skipped_whatever_they_say(place):
    extension = struct.pack("<ii", 2**31 - 1, 2) + bytes(8)
    values = read_run(place, pack(forge(RUN[:348] + b"\1\0\0\0" + extension + RUN[352:], vox_offset=[368])))
    np.testing.assert_array_equal(values, read_by_nibabel(RUN))


def test_a_run_is_read_volume_by_volume(place, monkeypatch):
    """What it takes at once is a fraction of the run; what does not fit at all is told."""
    volumes = np.random.default_rng(0).integers(0, 4000, (64, 64, 30, 40)).astype(np.int16)
    mask_img = nibabel.Nifti1Image(np.ones((64, 64, 30), np.uint8) * (np.arange(30) == 3), AFFINE)
    nibabel.Nifti1Image(volumes, AFFINE).to_filename(place)
    tracemalloc.start()
    values = read_voxels(place, mask_img)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(values, volumes[:, :, 3].reshape(-1, 40).T)
    assert peak - values.nbytes < volumes.nbytes / 4
    monkeypatch.setattr(np, "empty", Mock(side_effect=MemoryError))
    with pytest.raises(RecordingError, match="40 volumes of 4096 voxels in the mask do not fit into memory"):
        read_voxels(place, mask_img)


@pytest.mark.parametrize("odd", [os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_not_waited_for(tmp_path, odd):
    odd(tmp_path / "run.nii.gz")
    for read in (read_mask, load_stimuli):
        with pytest.raises(RecordingError, match=r"run.nii.gz: not a"):
            read(tmp_path / "run.nii.gz")
