"""Pictures of any format turned into pixels, against plain block means."""

import numpy as np
import pytest
from PIL import Image

from voxelwise import RecordingError, load_pictures

GREY = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)
MEANS = GREY.reshape(4, 10, 6, 10).mean(axis=(1, 3)) / 255


@pytest.mark.parametrize(
    ("name", "image", "off"),
    [
        ("a.png", Image.fromarray(GREY), 1e-6),
        ("a.png", Image.fromarray(np.repeat(GREY[..., np.newaxis], 3, axis=2)), 1e-6),
        ("a.png", Image.fromarray(GREY.astype(np.uint16) * 257), 1e-6),
        ("a.bmp", Image.fromarray(GREY), 1e-6),
        ("a.TIFF", Image.fromarray(GREY.astype(np.uint16) * 257), 1e-6),
        ("a.jpg", Image.fromarray(GREY), 0.01),
        ("a.gif", Image.fromarray(GREY), 1e-6),
        ("a.png", Image.fromarray(np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])), 1e-6),
    ],
)
def test_every_format_gives_the_same_brightness_from_0_to_1(tmp_path, name, image, off):
    image.save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("no picture")
    (tmp_path / f"._{name}").write_bytes(b"of another system")
    table = load_pictures(tmp_path, (4, 6))
    assert table.index.tolist() == [name] and table.index.name == "stim_file"
    np.testing.assert_allclose(table.to_numpy(), MEANS.reshape(1, -1), atol=off)
    assert table.columns.tolist()[:7] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, 5), (1, 0)]


def test_one_bit_pictures_of_sizes_that_do_not_divide_are_averaged_by_area(tmp_path):
    black_and_white = GREY[:7, :5] > 127
    (tmp_path / "faces").mkdir()
    Image.fromarray(black_and_white).save(tmp_path / "faces" / "one.png")
    fine = np.kron(black_and_white, np.ones((3, 2)))  # 21 x 10 points, which 3 x 2 divides
    table = load_pictures(tmp_path, (3, 2))
    assert table.index.tolist() == ["faces/one.png"]
    np.testing.assert_allclose(table.to_numpy().reshape(3, 2), fine.reshape(3, 7, 2, 5).mean(axis=(1, 3)), atol=1e-6)


def test_what_is_no_picture_is_told(tmp_path):
    with pytest.raises(RecordingError, match="no picture in it"):
        load_pictures(tmp_path, (4, 6))
    Image.fromarray(GREY.astype(np.float32)).save(tmp_path / "a.tif")
    with pytest.raises(RecordingError, match=r"a.tif: .*white is not known"):
        load_pictures(tmp_path, (4, 6))
    (tmp_path / "a.tif").write_bytes(b"nothing")
    with pytest.raises(RecordingError, match=r"a.tif: not a picture that can be read"):
        load_pictures(tmp_path, (4, 6))
    with pytest.raises(ValueError, match="stimulus_shape=24"):
        load_pictures(tmp_path, 24)
