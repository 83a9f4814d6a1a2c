"""Maps of a group, against scipy's t-test, a closed form, and the truth of simulated subjects."""

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine, from_matvec
from scipy.stats import ttest_1samp

from voxelwise import RecordingError, group_maps

DIAGONAL = np.diag([3.0, 3, 3, 1])


def image(values, affine=DIAGONAL):
    return nibabel.Nifti1Image(np.asarray(values, np.float32), affine)


def test_on_one_grid_it_is_the_t_test_of_each_voxel_that_all_have():
    values = np.random.default_rng(0).normal(0.1, 0.2, (7, 5, 6, 4)).astype(np.float32)
    values[2, 0], values[5, :, 3] = np.nan, np.nan
    known = np.isfinite(values).all(axis=0)
    found = group_maps({f"{n:02}": image(each) for n, each in enumerate(values)}, threshold=0.15)
    expected = {"mean": values.mean(axis=0), "t": ttest_1samp(values, 0).statistic}
    for name, each in (expected | {"share": (values > 0.15).mean(axis=0)}).items():
        np.testing.assert_array_equal(found[name].affine, DIAGONAL)
        np.testing.assert_allclose(found[name].get_fdata()[known], each[known], rtol=1e-4, atol=1e-6)
        assert np.isnan(found[name].get_fdata()[~known]).all()


def test_other_grids_are_brought_to_the_first_or_to_a_template():
    """A plane through space comes out as the same plane, whatever grid it was sampled on; NaN does not spread."""

    def places(shape, affine):
        return apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))

    grids = {
        (10, 9, 8): DIAGONAL,
        (22, 14, 16): from_matvec(np.diag([-2.0, 2.5, 2]), [40, -3, -5]),
        (9, 9, 9): from_matvec(np.eye(3) * 4, [-2, -2, -2]),
    }
    slope, here = [0.1, -0.2, 0.3], places((10, 9, 8), DIAGONAL)
    images = [
        image(places(*grid) @ slope + height, grid[1]) for grid, height in zip(grids.items(), (0, 1, 5), strict=True)
    ]
    inside = (here <= [25, 22, 21]).all(axis=-1)
    found = group_maps(images)["mean"].get_fdata()
    np.testing.assert_allclose(found[inside], (here @ slope + 2)[inside], atol=1e-4)
    template = image(np.zeros((4, 4, 4)), from_matvec(np.eye(3) * 1.5, [6, 6, 6]))
    on_template = group_maps(images, template=template)["mean"].get_fdata()
    np.testing.assert_allclose(on_template, places((4, 4, 4), template.affine) @ slope + 2, atol=1e-4)

    holed = images[2].get_fdata()
    holed[:, :, 3:] = np.nan  # voxels at 6 mm are known, and those at 10 mm are not; the first grid has some at 9 mm
    holed = np.isfinite(group_maps([images[0], image(holed, images[2].affine)])["mean"].get_fdata())
    assert holed[inside & (here[..., 2] < 8)].all() and not holed[here[..., 2] > 8].any()


ONES = image(np.ones((2, 2, 2)))


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ({"01": ONES}, ValueError, "images: 1 of them; expected maps of two"),
        ({"01": ONES, "02": np.ones(7)}, ValueError, r"of subject '02' is \(7,\).*on a surface"),
        ([ONES, image(np.ones((2, 2, 2, 3)))], ValueError, r"of subject 1 is \(2, 2, 2, 3\)"),
        ([ONES, image(ONES.get_fdata(), from_matvec(np.eye(3), [90, 0, 0]))], RecordingError, "Are their maps in one"),
    ],
)
def test_what_makes_no_group_is_refused(images, error, message):
    with pytest.raises(error, match=message):
        group_maps(images)
