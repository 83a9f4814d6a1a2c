"""Columns and places."""

import numpy as np
import pytest

from voxelwise import choose_voxels, grid_positions, unmask, voxel_at


@pytest.fixture
def mask_img(small_samples):
    return small_samples.mask_img


def test_unmask_puts_values_into_the_mask(mask_img):
    values, inside = np.random.default_rng(0).random((50, 2), dtype=np.float32), np.asarray(mask_img.dataobj) == 1
    image = unmask(values, mask_img, outside=np.nan)
    np.testing.assert_array_equal(image.get_fdata()[inside], values)
    np.testing.assert_array_equal(image.affine, mask_img.affine)
    assert np.isnan(image.get_fdata()[~inside]).all()
    assert image.get_data_dtype() == np.float32 and image.header.get_xyzt_units()[0] == "mm"


def test_voxel_at_finds_each_position(mask_img):
    assert [voxel_at(mask_img, tuple(position)) for position in grid_positions(mask_img)] == list(range(50))
    hole = np.argwhere(np.asarray(mask_img.dataobj) == 0)[0].tolist()
    for position, message in (((-1, 0, 0), r"outside the mask.*\(6, 5, 4\)"), (hole, "outside"), ((3, 1), "three")):
        with pytest.raises(ValueError, match=message):
            voxel_at(mask_img, position)


def test_the_best_voxels_stand_in_for_absent_ones(mask_img):
    places, scores = grid_positions(mask_img), np.sin(np.arange(50))
    assert choose_voxels(mask_img, places[[4, 1, 0, 2]], scores) == ([4, 1, 0, 2], True)
    assert choose_voxels(mask_img, [places[4], (60, 0, 0)], scores) == (np.argsort(-scores)[:2].tolist(), False)
    for positions in ([], [(0, 0, 0)] * 5, [(0, 0)], [(0.5, 1, 2)]):
        with pytest.raises(ValueError, match="one to four grid positions"):
            choose_voxels(mask_img, positions, scores)
