"""Pictures of any format turned into pixels, against plain block means."""

import numpy as np
import pytest
from PIL import Image

from voxelwise import RecordingError, load_pictures

GREY = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)
MEANS = GREY.reshape(4, 10, 6, 10).mean(axis=(1, 3)) / 255


def test_every_format_gives_the_same_brightness_from_0_to_1(tmp_path):
    rgba = np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])
    for name, pixels in (("8.png", GREY), ("a.png", rgba), ("b.TIFF", GREY.astype(np.uint16) * 257), ("c.jpg", GREY)):
        Image.fromarray(pixels).save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / "._8.png").write_bytes(b"of another system")
    table = load_pictures(tmp_path, (4, 6))
    assert table.index.tolist() == ["8.png", "a.png", "b.TIFF", "c.jpg"] and table.index.name == "stim_file"
    np.testing.assert_allclose(table.iloc[:3], np.tile(MEANS.ravel(), (3, 1)), atol=1e-6)
    np.testing.assert_allclose(table.loc["c.jpg"], MEANS.ravel(), atol=0.01)
    assert table.columns.tolist() == [*np.ndindex(4, 6)]


def test_one_bit_pictures_of_sizes_that_do_not_divide_are_averaged_by_area(tmp_path):
    black_and_white = GREY[:7, :5] > 127
    (tmp_path / "faces").mkdir()
    Image.fromarray(black_and_white).save(tmp_path / "faces" / "one.png")
    fine = np.kron(black_and_white, np.ones((3, 2)))  # 21 x 10 points, which 3 x 2 divides
    expected = fine.reshape(3, 7, 2, 5).mean(axis=(1, 3)).ravel()
    np.testing.assert_allclose(load_pictures(tmp_path, (3, 2)).loc["faces/one.png"], expected, atol=1e-6)


def test_what_is_no_picture_is_told(tmp_path):
    with pytest.raises(RecordingError, match="no picture in it"):
        load_pictures(tmp_path, (4, 6))
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(RecordingError, match=r"a.tif: .*white is not known"):
        load_pictures(tmp_path, (4, 6))
    (tmp_path / "a.tif").write_bytes(b"nothing")
    with pytest.raises(RecordingError, match=r"a.tif: not a picture"):
        load_pictures(tmp_path, (4, 6))
