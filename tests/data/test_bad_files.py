"""Whatever a file holds, the loaders give the right answer or refuse it; ``make fuzz`` tries more."""

import gzip
import logging
import os
import struct
import tarfile
import warnings

import nibabel
import numpy as np
import pytest
from checks import fuzz_archives
from checks.fuzz_inputs import good_recording, pack
from checks.fuzz_oracle import NUMBER, read_nifti, read_table
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from voxelwise import RecordingError, download, files, load_recording, load_samples, load_stimuli
from voxelwise.brain import regions_of_interest
from voxelwise.data.files import open_image, read_mask, read_volume, read_voxels

quickly = settings(
    max_examples=30, database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
RUN, MASK = (gzip.decompress(good_recording(0)[name]) for name in ("func/run1.nii.gz", "mask/mask.nii.gz"))


@pytest.fixture
def place(tmp_path):
    """Where the file lies that is read; the mask beside it is good."""
    (tmp_path / "mask.nii.gz").write_bytes(pack(MASK))
    return tmp_path / "run.nii.gz"


def forge(content, **fields):
    """The bytes of an image, with fields of its header replaced."""
    image = bytearray(content)
    places = {"dim": (40, "8h"), "datatype": (70, "h"), "vox_offset": (108, "f")}
    places |= {"srow_x": (280, "4f"), "sform": (254, "h")}
    for name, values in fields.items():
        start, kind = places[name]
        struct.pack_into(f"<{kind}", image, start, *values)
    return bytes(image)


def read_run(path):
    """The values of a run, or None if it is refused; nothing is said otherwise."""
    said = []
    handler = logging.Handler(logging.WARNING)
    handler.emit = said.append
    logging.getLogger().addHandler(handler)
    try:
        # Made an error, a warning could be taken for damage by what reads the file.
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            return read_voxels(path, read_mask(path.parent / "mask.nii.gz"))
    except RecordingError as error:
        assert str(path) in str(error)
        return None
    finally:
        logging.getLogger().removeHandler(handler)
        assert said == warned == []


@quickly
@given(content=st.binary(max_size=600), start=st.sampled_from([b"", b"\x1f\x8b\x08\x00", MASK[:344] + b"n+1\0"]))
def test_any_bytes_are_refused(place, content, start):
    place.write_bytes(start + content)
    assert read_run(place) is None
    place.write_bytes(pack(start + content))
    assert read_run(place) is None


@quickly
@given(flips=st.lists(st.tuples(st.integers(0, len(RUN) - 1) | st.integers(0, 351), st.integers(0, 7)), min_size=1))
def test_flipped_bits_give_what_is_there_or_are_refused(place, flips):
    content = bytearray(RUN)
    for where, bit in flips:
        content[where] ^= 1 << bit
    place.write_bytes(pack(bytes(content)))
    values = read_run(place)
    if values is not None:
        expected = read_nifti(pack(bytes(content)))[read_nifti(pack(MASK)) != 0].T
        np.testing.assert_array_equal(values, expected.astype(np.float32))


@quickly
@given(st.data())
def test_compressed_bytes_that_are_cut_off_or_flipped_never_give_other_values(place, data):
    """Some flips harm nothing: of bits in gzip's own header, or of codes that are not used."""
    content = pack(RUN)
    place.write_bytes(content)
    good = read_run(place)
    where, bit = data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(0, 7))
    place.write_bytes(content[:where])
    assert read_run(place) is None
    place.write_bytes(content[:where] + bytes([content[where] ^ 1 << bit]) + content[where + 1 :])
    values = read_run(place)
    assert values is None or np.array_equal(values, good)


@quickly
@given(
    table=arrays.arrays(
        np.float32, st.tuples(st.integers(1, 5), st.sampled_from([1, 4, 9])),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    ),
    end=st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\n  \n"]), comma=st.sampled_from([",", ", ", " ,\t"]),
    start=st.sampled_from(["", "\ufeff", "\n"]), last=st.booleans(),
)  # fmt: skip
def test_any_table_of_finite_numbers_is_read_as_it_was_written(place, table, end, comma, start, last):
    rows = [comma.join(str(number) for number in row.tolist()) for row in table]
    label = place.with_suffix(".csv")
    label.write_bytes((start + end.join(rows) + end * last).encode())
    images, side = load_stimuli(label), int(table.shape[1] ** 0.5)
    assert images.dtype == np.float32
    np.testing.assert_array_equal(images, [np.reshape(row, (side, side), order="F") for row in table])


CELL = st.from_regex(NUMBER, fullmatch=True) | st.text(st.characters(), max_size=4)


@quickly
@given(rows=st.lists(st.lists(CELL, min_size=4, max_size=4), min_size=1))
def test_any_cells_are_plain_numbers_or_refused(place, rows):
    content = "\n".join(",".join(row) for row in rows).encode(errors="surrogatepass")
    label = place.with_suffix(".csv")
    label.write_bytes(content)
    try:
        expected = read_table(content)
        read = expected.shape[1] == 4
    except ValueError:
        read = False
    if read:
        np.testing.assert_array_equal(load_stimuli(label).swapaxes(1, 2).reshape(len(expected), 4), expected)
    else:
        with pytest.raises(RecordingError, match="run.nii.csv"):
            load_stimuli(label, (2, 2))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (forge(RUN, dim=(4, 1000, 1000, 1000, 9, 1, 1, 1)), "1000000000 voxels a volume"),
        (forge(RUN, dim=(4, 4, 3, 3, 32767, 1, 1, 1)), "more than the file can hold"),
        (forge(RUN, dim=(4, 4, 3, -3, 9, 1, 1, 1)), r"a shape of \(4, 3, -3, 9\)"),
        (forge(RUN, vox_offset=[1e12]), "more than the file can hold"),
        (forge(RUN, vox_offset=[0]), "begin at byte 0"),
        (forge(RUN, vox_offset=[float("inf")]), "not a NIfTI file"),
        (forge(RUN, datatype=[32]), "type complex64"),
        (forge(RUN, datatype=[128]), "type .*'R'"),
        (forge(RUN, sform=[1], srow_x=[float("nan")] * 4), "places no voxels"),
        (forge(RUN, sform=[1], srow_x=[0] * 4), "places no voxels"),
        (RUN + bytes(2**20 + 1), "much more than its header says"),
    ],
)
def test_a_forged_header_is_refused_for_what_it_is(place, content, message):
    place.write_bytes(pack(content))
    with pytest.raises(RecordingError, match=rf"run.nii.gz: .*{message}"):
        read_voxels(place, open_image(place.parent / "mask.nii.gz"))


def test_extensions_are_skipped_whatever_they_say(place):
    extension = struct.pack("<ii", 2**31 - 1, 2) + bytes(8)
    place.write_bytes(pack(forge(RUN[:348] + b"\1\0\0\0" + extension + RUN[352:], vox_offset=[368])))
    expected = read_nifti(pack(RUN))[read_nifti(pack(MASK)) != 0].T
    np.testing.assert_array_equal(read_run(place), expected.astype(np.float32))


def test_a_volume_larger_than_its_file_is_decompressed(tmp_path):
    """Nibabel maps images into memory where it thinks them not compressed."""
    values = np.random.default_rng(0).normal(size=(9, 8, 7)).astype(np.float32)
    nibabel.Nifti1Image(np.concatenate([values, 0 * values]), np.eye(4)).to_filename(tmp_path / "bg.nii.gz")
    np.testing.assert_array_equal(read_volume(tmp_path / "bg.nii.gz")[:9], values)
    nibabel.Nifti1Image(values.astype(np.uint8), np.eye(4)).to_filename(tmp_path / "small.nii.gz")
    np.testing.assert_array_equal(read_volume(tmp_path / "small.nii.gz"), values.astype(np.uint8))


@pytest.mark.parametrize("odd", [os.mkdir, os.mkfifo, lambda path: os.symlink("/dev/zero", path)])
def test_what_is_no_file_is_not_waited_for(place, odd):
    odd(place)
    assert read_run(place) is None
    with pytest.raises(RecordingError, match="run.nii.gz"):
        load_stimuli(place)


def test_more_than_can_be_computed_with_is_refused(place, monkeypatch):
    place.write_bytes(pack(RUN))
    monkeypatch.setattr(files, "MAX_VALUES", 10)
    with pytest.raises(RecordingError, match="too many to compute with"):
        read_voxels(place, read_mask(place.parent / "mask.nii.gz"))
    place.write_text("0,1,2,3\n")
    monkeypatch.setattr(files, "MAX_LABEL_BYTES", 5)
    with pytest.raises(RecordingError, match="8 bytes; expected at most 5"):
        load_stimuli(place)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("0,1,0,1\n\n0,1,b,1\n", "row 2 holds 'b'"),
        ("0,1,0,1\n0,1\n", "row 2 has 2 values, the first has 4"),
        ("0,1,0,1\n# 0,1,0,1\n", "row 2 holds '# 0'"),
        ("0,1,0,1\x0c0,1,0,1\n", "row 1 has 7 values|row 1 holds"),
        ("0,1,0,1\n0,1e39,0,1\n", "row 2 .*not finite"),
        pytest.param("1" * 1_000_000 + "x", "row 1 holds '1111", id="a search that tries every way never ends"),
    ],
)
def test_the_row_that_is_no_row_of_numbers_is_named(tmp_path, text, message):
    (tmp_path / "label.csv").write_text(text)
    with pytest.raises(RecordingError, match=rf"label.csv: .*({message})"):
        load_stimuli(tmp_path / "label.csv")


def test_a_damaged_region_is_refused(small_folder):
    region = small_folder / "mask" / "V1.nii.gz"
    mask = small_folder / "mask" / "mask.nii.gz"
    region.write_bytes(mask.read_bytes())
    recording = load_recording(small_folder)
    region.write_bytes(mask.read_bytes()[:-4])
    with pytest.raises(RecordingError, match="V1.nii.gz: (cut off or damaged|not a NIfTI file)"):
        regions_of_interest(recording.rois, open_image(recording.mask))


@pytest.mark.parametrize("factor", [2.0**-100, 2.0**110])
def test_responses_do_not_depend_on_the_unit(small_folder, factor):
    """Powers of 2 change no digit: no square that overflows, and no spread taken for none, may change the z-scores."""
    recording = load_recording(small_folder)
    expected = load_samples(recording).responses
    for path in recording.func["random"]:
        image = nibabel.load(path)
        nibabel.Nifti1Image(image.get_fdata(dtype=np.float32) * np.float32(factor), image.affine).to_filename(path)
    np.testing.assert_array_equal(load_samples(recording).responses, expected)


def test_digits_that_are_no_decimals_can_be_sorted(small_folder):
    (small_folder / "func" / "run1.nii.gz").rename(small_folder / "func" / "²1.nii.gz")
    assert load_recording(small_folder).func["random"][-1].name == "²1.nii.gz"


@pytest.mark.parametrize("number", range(len(fuzz_archives.UNSAFE)))
def test_an_unsafe_archive_is_refused_and_leaves_nothing(tmp_path, monkeypatch, number):
    for name in ("FILES", "ARCHIVE_BYTES", "fetch_miyawaki2008"):
        monkeypatch.setattr(download, name, getattr(download, name))
    kind = "Archive, unsafe members"
    monkeypatch.setattr(fuzz_archives, "UNSAFE", [fuzz_archives.UNSAFE[number]])
    assert fuzz_archives.judge(tmp_path / "there", kind, np.random.default_rng(number)) == "refused"
    assert tarfile.TarFile.extraction_filter is None


def test_stored_integers_are_scaled_as_the_header_says(place):
    """Slope 0.5 and intercept 100, in bytes 112 to 119."""
    image = bytearray(RUN)
    struct.pack_into("<2f", image, 112, 0.5, 100.0)
    place.write_bytes(pack(bytes(image)))
    mask_img = read_mask(place.parent / "mask.nii.gz")
    stored = nibabel.Nifti1Image.from_bytes(RUN).dataobj.get_unscaled()[np.asarray(mask_img.dataobj) != 0]
    np.testing.assert_allclose(read_voxels(place, mask_img), 100 + 0.5 * stored.T, rtol=1e-6)


@pytest.mark.parametrize("n_volumes", [0, -1])
def test_a_shape_that_is_none_is_refused(place, n_volumes):
    shape = nibabel.Nifti1Image.from_bytes(RUN).shape[:3]
    place.write_bytes(pack(forge(RUN, dim=(4, *shape, n_volumes, 1, 1, 1))))
    with pytest.raises(RecordingError, match="expected whole numbers from 1"):
        open_image(place, n_dimensions=4)
