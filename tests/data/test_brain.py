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
    load_recording,
    load_samples,
    regions_of_interest,
    unmask,
    voxel_at,
)


@pytest.fixture
def mask_img(small_folder):
    return load_samples(load_recording(small_folder)).mask_img


def test_unmask_equals_nilearns_inverse(mask_img):
    values = np.arange(1, len(grid_positions(mask_img)) + 1, dtype=np.float32)
    image = unmask(values, mask_img)
    expected = NiftiMasker(mask_img).fit().inverse_transform(values)
    np.testing.assert_array_equal(image.get_fdata(), expected.get_fdata())
    np.testing.assert_array_equal(image.affine, expected.affine)


def test_unmask_of_several_values_a_voxel(mask_img):
    """One volume a value, and what lies outside the mask told apart from every value."""
    values = np.arange(2.0 * len(grid_positions(mask_img))).reshape(-1, 2)
    image = unmask(values, mask_img, outside=np.nan)
    masker = NiftiMasker(mask_img, standardize=None).fit()
    np.testing.assert_array_equal(masker.transform(image).T, values)
    np.testing.assert_array_equal(np.isnan(image.get_fdata()[..., 1]), np.asarray(mask_img.dataobj) == 0)
    assert image.get_data_dtype() == np.float32 and image.header.get_xyzt_units()[0] == "mm"


def test_regions_are_nilearns_masked_images(mask_img, tmp_path):
    volume = np.zeros(mask_img.shape, dtype=np.int16)
    volume[3:], volume[:, 0] = -7, -7
    nibabel.Nifti1Image(volume, mask_img.affine).to_filename(tmp_path / "front.nii.gz")
    nibabel.Nifti1Image(1 - (volume != 0).astype(np.int16), mask_img.affine).to_filename(tmp_path / "back.nii.gz")
    regions = regions_of_interest({name: tmp_path / f"{name}.nii.gz" for name in ("front", "back")}, mask_img)
    assert regions.columns.tolist() == ["front", "back"] and set(regions.dtypes) == {np.dtype(bool)}
    expected = NiftiMasker(mask_img, standardize=None).fit().transform(tmp_path / "front.nii.gz").ravel() != 0
    np.testing.assert_array_equal(regions["front"], expected)
    np.testing.assert_array_equal(regions["back"], ~expected)
    assert regions_of_interest({}, mask_img).shape == (len(grid_positions(mask_img)), 0)


def test_voxel_at_finds_each_position_and_its_value(mask_img):
    image = unmask(np.arange(len(grid_positions(mask_img))), mask_img).get_fdata()
    for column, position in enumerate(grid_positions(mask_img)):
        assert voxel_at(mask_img, tuple(position)) == column == image[tuple(position)]


@pytest.mark.parametrize("positions", [[], [(0, 0, 0)] * 5, [(0, 0)], [(0, 0, 0), (0, 0)], 3, [3], [(0.5, 1, 2)]])
def test_only_one_to_four_voxels_can_be_marked(mask_img, positions):
    with pytest.raises(ValueError, match="one to four grid positions"):
        choose_voxels(mask_img, positions, np.zeros(len(grid_positions(mask_img))))


@pytest.mark.parametrize(
    ("position", "message"),
    [((60, 0, 0), "outside"), ((-1, 0, 0), "outside"), ("hole", "outside"), ((3, 1), "three"), (3, "three"),
     ((3.0, 1.0, 1.5), "three")],
)  # fmt: skip
def test_a_position_outside_the_mask_or_that_is_none_is_refused(mask_img, position, message):
    if position == "hole":
        position = tuple(np.argwhere(np.asarray(mask_img.dataobj) == 0)[0].tolist())
    said = {"outside": r"outside the mask.*\(6, 5, 4\)", "three": "expected three whole numbers"}[message]
    with pytest.raises(ValueError, match=said):
        voxel_at(mask_img, position)


def test_the_best_voxels_stand_in_for_absent_ones(mask_img):
    scores = np.sin(np.arange(len(grid_positions(mask_img))))
    wanted = [tuple(position) for position in grid_positions(mask_img)[[4, 1]]]
    assert choose_voxels(mask_img, wanted, scores) == ([4, 1], True)
    best = np.argsort(-scores)[:2].tolist()
    assert choose_voxels(mask_img, [wanted[0], (60, 0, 0)], scores) == (best, False)


def test_areas_join_hemispheres_and_parts():
    """VP is ventral V3; a band, a region of another name and an area without a region are left out."""
    names = ["LHV1d", "RHV1v", "LHV3", "RHVP", "RHV3A", "LHlag0to1", "XV1d", "V2d"]
    regions = pd.DataFrame(np.eye(9, 8, dtype=bool), columns=names, index=range(10, 19))
    areas = group_by_area(regions)
    inside = {area: areas.index[areas[area]].tolist() for area in areas}
    assert inside == {"V1": [10, 11], "V3": [12, 13], "V3A": [14]}
    assert group_by_area(regions[["V2d"]]).shape == (9, 0)
