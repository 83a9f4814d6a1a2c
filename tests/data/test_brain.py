"""Columns and places, against nilearn's masker."""

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiMasker

from voxelwise import choose_voxels, grid_positions, group_by_area, regions_of_interest, unmask, voxel_at


@pytest.fixture
def mask_img(small_samples):
    return small_samples.mask_img


def test_unmask_equals_nilearns_inverse(mask_img):
    values = np.random.default_rng(0).random((np.count_nonzero(mask_img.dataobj), 2), dtype=np.float32)
    image, outside = unmask(values, mask_img), unmask(values[:, 0], mask_img, outside=np.nan).get_fdata()
    expected = NiftiMasker(mask_img, standardize=None).fit().inverse_transform(values.T)
    np.testing.assert_array_equal(image.get_fdata(), expected.get_fdata())
    np.testing.assert_array_equal(image.affine, expected.affine)
    np.testing.assert_array_equal(np.isnan(outside), np.asarray(mask_img.dataobj) == 0)
    assert image.get_data_dtype() == np.float32 and image.header.get_xyzt_units()[0] == "mm"
    with pytest.raises(ValueError, match=r"mask_img=None: .*no places"):
        unmask(values, None)


def test_regions_are_nilearns_masked_images(mask_img, tmp_path):
    front, path = np.zeros(mask_img.shape, dtype=np.int16), tmp_path / "front.nii.gz"
    front[3:], front[:, 0] = -7, -7
    nibabel.Nifti1Image(front, mask_img.affine).to_filename(path)
    regions = regions_of_interest({"front": path}, mask_img)
    expected = NiftiMasker(mask_img, standardize=None).fit().transform(path).ravel() != 0
    np.testing.assert_array_equal(regions["front"], expected)
    assert regions["front"].dtype == bool and regions_of_interest({}, mask_img).shape == (len(regions), 0)


def test_voxel_at_finds_each_position(mask_img):
    for column, position in enumerate(grid_positions(mask_img)):
        assert voxel_at(mask_img, tuple(position)) == column
    hole = np.argwhere(np.asarray(mask_img.dataobj) == 0)[0].tolist()
    for position, message in (((-1, 0, 0), r"outside the mask.*\(6, 5, 4\)"), (hole, "outside"), ((3, 1), "three")):
        with pytest.raises(ValueError, match=message):
            voxel_at(mask_img, position)


def test_the_best_voxels_stand_in_for_absent_ones(mask_img):
    places = grid_positions(mask_img)
    scores = np.sin(np.arange(len(places)))
    assert choose_voxels(mask_img, places[[4, 1, 0, 2]], scores) == ([4, 1, 0, 2], True)
    assert choose_voxels(mask_img, [places[4], (60, 0, 0)], scores) == (np.argsort(-scores)[:2].tolist(), False)
    for positions in ([], [(0, 0, 0)] * 5, [(0, 0, 0), (0, 0)], [(0.5, 1, 2)]):
        with pytest.raises(ValueError, match="one to four grid positions"):
            choose_voxels(mask_img, positions, scores)


def test_areas_join_hemispheres_and_parts():
    """VP is ventral V3; a band, a region of another name and an area without a region are left out."""
    names = ["LHV1d", "RHV1v", "LHV3", "RHVP", "RHV3A", "LHlag0to1", "XV1d", "V2d"]
    areas = group_by_area(pd.DataFrame(np.eye(8, dtype=bool), columns=names))
    assert {area: np.flatnonzero(areas[area]).tolist() for area in areas} == {"V1": [0, 1], "V3": [2, 3], "V3A": [4]}
