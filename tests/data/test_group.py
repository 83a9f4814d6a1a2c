"""Maps of a group, against scipy's t-test, a closed form, and the truth of simulated subjects."""

import nibabel
import numpy as np
import pytest
from scipy.stats import ttest_1samp
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score

from voxelwise import RecordingError, cross_validate_ridge, group_maps, simulated_subjects, unmask


def image(values, affine=None):
    return nibabel.Nifti1Image(np.asarray(values, np.float32), np.diag([3, 3, 3, 1]) if affine is None else affine)


def test_on_one_grid_it_is_the_t_test_of_each_voxel_that_all_have():
    rng = np.random.default_rng(0)
    values = rng.normal(0.1, 0.2, (7, 5, 6, 4)).astype(np.float32)
    values[2, 0], values[5, :, 3] = np.nan, np.nan
    known = np.isfinite(values).all(axis=0)
    for images in (map(image, values), {f"{n:02}": image(each) for n, each in enumerate(values)}):
        found = group_maps(images, threshold=0.15)
        expected = dict(
            mean=values.mean(axis=0), t=ttest_1samp(values, 0).statistic, share=(values > 0.15).mean(axis=0)
        )
        assert found.keys() == expected.keys()
        for name, each in found.items():
            np.testing.assert_array_equal(each.affine, np.diag([3, 3, 3, 1]))
            np.testing.assert_allclose(each.get_fdata()[known], expected[name][known], rtol=1e-4, atol=1e-6)
            assert np.isnan(each.get_fdata()[~known]).all()


def test_other_grids_are_brought_to_the_first_or_to_a_template():
    """A plane through space comes out as the same plane, whatever grid it was sampled on; NaN does not spread."""

    def plane(shape, affine, height):
        places = nibabel.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))
        return places, image(places @ [0.1, -0.2, 0.3] + height, affine)

    grids = [np.diag([3.0, 3, 3, 1]), np.diag([-2.0, 2.5, 2, 1]), np.diag([4.0, 4, 4, 1])]
    grids[1][:3, 3], grids[2][:3, 3] = [40, -3, -5], [-2, -2, -2]
    shapes, heights = [(10, 9, 8), (22, 14, 16), (9, 9, 9)], (0, 1, 5)
    pairs = [plane(*each) for each in zip(shapes, grids, heights, strict=True)]
    places, images = pairs[0][0], [each for _, each in pairs]
    inside = (places <= [25, 22, 21]).all(axis=-1)
    found = group_maps(images)["mean"].get_fdata()
    np.testing.assert_allclose(found[inside], (places @ [0.1, -0.2, 0.3] + 2)[inside], atol=1e-4)
    template = image(np.zeros((4, 4, 4)), nibabel.affines.from_matvec(np.eye(3) * 1.5, [6, 6, 6]))
    on_template = group_maps(images, template=template)["mean"]
    assert on_template.shape == (4, 4, 4)
    at = nibabel.affines.apply_affine(template.affine, [1, 2, 3])
    assert on_template.get_fdata()[1, 2, 3] == pytest.approx(at @ [0.1, -0.2, 0.3] + 2, abs=1e-4)

    holed = images[2].get_fdata()
    holed[:, :, 3:] = np.nan  # voxels at 6 mm are known, and those at 10 mm are not; the first grid has some at 9 mm
    holed = np.isfinite(group_maps([images[0], image(holed, grids[2])])["mean"].get_fdata())
    assert holed[inside & (places[..., 2] < 8)].all() and not holed[places[..., 2] > 8].any()


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        ({"01": image(np.ones((2, 2, 2)))}, ValueError, "images: 1 of them; expected maps of two"),
        ({"01": image(np.ones((2, 2, 2))), "02": np.ones(7)}, ValueError, r"of subject '02' is \(7,\).*on a surface"),
        ([image(np.ones((2, 2, 2))), image(np.ones((2, 2, 2, 3)))], ValueError, r"of subject 1 is \(2, 2, 2, 3\)"),
        (
            [image(np.ones((2, 2, 2))), image(np.ones((2, 2, 2)), nibabel.affines.from_matvec(np.eye(3), [90, 0, 0]))],
            RecordingError,
            "in the masks of all 2 subjects. Are their maps in one space",
        ),
    ],
)
def test_what_makes_no_group_is_refused(images, error, message):
    with pytest.raises(error, match=message):
        group_maps(images)


def test_the_truth_of_a_simulated_subject_is_what_the_features_explain():
    """In so many samples that ordinary regression finds all of it."""
    _, samples, truth = next(simulated_subjects(np.random.default_rng(3), n_volumes=2500))
    predicted = LinearRegression().fit(samples.stimuli, samples.responses).predict(samples.stimuli)
    found = r2_score(samples.responses, predicted, multioutput="raw_values")
    np.testing.assert_allclose(found, truth, atol=0.03)
    assert abs((found - truth).mean()) < 0.002 and truth.max() > 0.2 and len(truth) == samples.responses.shape[1]


def test_simulated_subjects_differ_and_their_group_map_is_the_true_one():
    subjects = list(simulated_subjects(np.random.default_rng(0)))
    assert [name for name, *_ in subjects] == [f"{number:02}" for number in range(1, 9)]
    found, true = {}, {}
    for name, samples, truth in subjects:
        scores = cross_validate_ridge(samples, alpha=1.0, cv=4).mean(axis=0)
        found[name], true[name] = (unmask(each, samples.mask_img, outside=np.nan) for each in (scores, truth))
    assert len({each.affine.tobytes() for each in found.values()}) == len({len(truth) for *_, truth in subjects}) == 8
    best = [truth.max() for *_, truth in subjects]
    assert max(best) > 2 * min(best)
    found, true = (group_maps(images) for images in (found, true))
    known = np.isfinite(true["mean"].get_fdata())
    pairs = [(found[name].get_fdata()[known], true[name].get_fdata()[known]) for name in ("mean", "share")]
    assert all(np.corrcoef(*pair)[0, 1] > 0.95 for pair in pairs)
    nowhere = true["mean"].get_fdata() < 0.005
    assert nowhere.sum() > 50 and np.nanmax(found["t"].get_fdata()[nowhere]) < 3 < np.nanmax(found["t"].get_fdata())


def test_without_spread_subjects_have_one_anatomy_and_gain():
    one, other = (truth.max() for *_, truth in simulated_subjects(np.random.default_rng(0), 2, 0.0, 0.0))
    assert one == pytest.approx(other, abs=0.05)
