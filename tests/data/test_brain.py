"""Columns and places, against nilearn's masker."""

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.maskers import NiftiMasker

from voxelwise import (
    choose_voxels,
    grid_positions,
    group_by_area,
    regions_of_interest,
    unmask,
    voxel_at,
)


@pytest.fixture
def mask_img(small_samples):
    return small_samples.mask_img


@pytest.mark.parametrize("more", [(), (2,)], ids=["an image", "a volume for each value"])
def test_unmask_equals_nilearns_inverse(mask_img, more):
    n_voxels = np.count_nonzero(mask_img.dataobj)
    values = np.random.default_rng(0).random((n_voxels, *more), dtype=np.float32)
    image, outside = unmask(values, mask_img), unmask(values, mask_img, outside=np.nan).get_fdata()
    expected = NiftiMasker(mask_img, standardize=None).fit().inverse_transform(values.T)
    np.testing.assert_array_equal(image.get_fdata(), expected.get_fdata())
    np.testing.assert_array_equal(image.affine, expected.affine)
    np.testing.assert_array_equal(
        np.isnan(outside), np.broadcast_to(np.asarray(mask_img.dataobj).T == 0, outside.T.shape).T
    )
    assert image.get_data_dtype() == np.float32 and image.header.get_xyzt_units()[0] == "mm"


def test_columns_without_places_are_told_so():
    for function in (grid_positions, lambda mask_img: unmask(np.ones(3), mask_img)):
        with pytest.raises(ValueError, match=r"mask_img=None: .*no places"):
            function(None)


def test_regions_are_nilearns_masked_images(mask_img, tmp_path):
    front = np.zeros(mask_img.shape, dtype=np.int16)
    front[3:], front[:, 0] = -7, -7
    for name, values in (("front", front), ("back", np.int16(front == 0))):
        nibabel.Nifti1Image(values, mask_img.affine).to_filename(tmp_path / f"{name}.nii.gz")
    regions = regions_of_interest({name: tmp_path / f"{name}.nii.gz" for name in ("front", "back")}, mask_img)
    masker = NiftiMasker(mask_img, standardize=None).fit()
    for name in regions:
        np.testing.assert_array_equal(regions[name], masker.transform(tmp_path / f"{name}.nii.gz").ravel() != 0)
    assert regions.columns.tolist() == ["front", "back"] and set(regions.dtypes) == {np.dtype(bool)}
    assert regions_of_interest({}, mask_img).shape == (len(regions), 0)


def test_voxel_at_finds_each_position_and_its_value(mask_img):
    image = unmask(np.arange(len(grid_positions(mask_img))), mask_img).get_fdata()
    for column, position in enumerate(grid_positions(mask_img)):
        assert voxel_at(mask_img, tuple(position)) == column == image[tuple(position)]
    hole = tuple(np.argwhere(np.asarray(mask_img.dataobj) == 0)[0].tolist())
    for position in ((60, 0, 0), (-1, 0, 0), hole):
        with pytest.raises(ValueError, match=r"outside the mask.*\(6, 5, 4\)"):
            voxel_at(mask_img, position)
    for position in ((3, 1), 3, (3.0, 1.0, 1.5)):
        with pytest.raises(ValueError, match="expected three whole numbers"):
            voxel_at(mask_img, position)


def test_the_best_voxels_stand_in_for_absent_ones(mask_img):
    places = grid_positions(mask_img)
    scores = np.sin(np.arange(len(places)))
    assert choose_voxels(mask_img, places[[4, 1, 0, 2]], scores) == ([4, 1, 0, 2], True)
    assert choose_voxels(mask_img, [places[4], (60, 0, 0)], scores) == (np.argsort(-scores)[:2].tolist(), False)
    for positions in ([], [(0, 0, 0)] * 5, [(0, 0)], [(0, 0, 0), (0, 0)], 3, [3], [(0.5, 1, 2)]):
        with pytest.raises(ValueError, match="one to four grid positions"):
            choose_voxels(mask_img, positions, scores)


def test_areas_join_hemispheres_and_parts():
    """VP is ventral V3; a band, a region of another name and an area without a region are left out."""
    names = ["LHV1d", "RHV1v", "LHV3", "RHVP", "RHV3A", "LHlag0to1", "XV1d", "V2d"]
    regions = pd.DataFrame(np.eye(9, 8, dtype=bool), columns=names, index=range(10, 19))
    areas = group_by_area(regions)
    inside = {area: areas.index[areas[area]].tolist() for area in areas}
    assert inside == {"V1": [10, 11], "V3": [12, 13], "V3A": [14]}
    assert group_by_area(regions[["V2d"]]).shape == (9, 0)
