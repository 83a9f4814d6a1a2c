"""What a figure must not get wrong, and a stored picture cannot tell: places, orientation, what is hidden, colours."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np
import pytest

from voxelwise import plotting

SIZES = dict(cmap="plasma", vmin=0, vmax=1)


@pytest.fixture(autouse=True)
def off_screen():
    """Figures are drawn without a window, and closed in the end."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


def image_of(places, values=0.5, affine=None, shape=(8, 9, 5), empty=0.0):
    volume = np.full(shape, empty, dtype=np.float32)
    for place, value in zip(places, np.broadcast_to(values, len(places)), strict=True):
        volume[place] = value
    return nibabel.Nifti1Image(volume, np.eye(4) if affine is None else affine)


def shown_at(image):
    """Where a drawn image is not masked: (row, column) and value."""
    values = image.get_array()
    return {tuple(at): values[tuple(at)].item() for at in np.argwhere(~np.ma.getmaskarray(values)).tolist()}


@pytest.mark.parametrize("side", [1, -1], ids=["left first", "right first"])
def test_marks_lie_on_their_voxel_and_left_is_left(side):
    """A voxel at x < 0 is in the left half, in its own square, over its spot of the background."""
    affine = np.diag([3.0 * side, 3.0, 3.0, 1.0])
    affine[:3, 3] = -10.5 * side, -12, -6
    position = (1 if side > 0 else 6, 7, 2)
    image = image_of([position], affine=affine)
    figure = plotting.plot_score_map(image, image, [position, (4, 4, 3)])
    background, painted = figure.axes[0].images
    assert shown_at(painted) == {(7, 1): 0.5} and "z = 0 mm" in figure.texts[0].get_text()
    (square,) = figure.axes[0].patches  # none for the voxel of another slice
    assert square.get_bbox().get_points().mean(axis=0) == pytest.approx((1, 7))
    fine = np.unravel_index(np.argmax(background.get_array()), background.get_array().shape)
    assert (np.array(fine) + 0.5) / 3 - 0.5 == pytest.approx((7, 1), abs=1e-6)
    assert background.get_extent() == painted.get_extent() == [-0.5, 7.5, -0.5, 8.5], "voxels lie on whole numbers"


def test_maps_paint_each_voxel_in_its_slice_and_nothing_else():
    """Six voxels in three slices, the first axis from right to left; a fourth slice would have nothing new to show."""
    affine, values = np.diag([-3.0, 3.0, 3.0, 1.0]), [0, 90, 180, -90, 45, -45]
    places = [(1, 2, 2), (2, 2, 2), (1, 2, 5), (6, 7, 5), (1, 2, 9), (2, 3, 9)]
    image = image_of(places, values, affine, (8, 9, 12), np.nan)
    maps = {"angle": (image, dict(cmap=plotting.DIRECTION_COLOURS, vmin=-180, vmax=180)), "size": (image, SIZES)}
    figure = plotting.plot_maps(maps, image_of(places, values, affine, (8, 9, 12)))
    assert [ax.get_ylabel() for ax in figure.axes[:6:2]] == ["z =\n6 mm", "z =\n15 mm", "z =\n27 mm"]
    for ax, k in zip(figure.axes[:6], (2, 2, 5, 5, 9, 9), strict=True):
        here = {(j, 7 - i): value for (i, j, where), value in zip(places, values, strict=True) if where == k}
        assert shown_at(ax.images[1]) == here, "+x is right"
        assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 7.5), (0.5, 8.5)), "all painted voxels and a rim of one"


def test_pictures_are_upright():
    """Each is what was given, its first row on top."""
    one, two = np.array([[0.0, 0.5], [0.1, 0.2]]), np.array([[0.25, 1.0], [0.3, 0.4]])
    for figure in (
        plotting.plot_stimuli([one, two], "ab"),
        plotting.plot_field_pairs({"first": one[None], "second": two[None]}, "a"),
        plotting.plot_candidates(np.array([0.1, 0.5]), 0, np.reshape([one, two], (2, 4)), (2, 2)),
        plotting.plot_reconstructions({"seen": [one, two]}, (0, 1)),
        plotting.plot_summary(image_of([(3, 3, 2)]), None, [(3, 3, 2)], [one], "one"),
        plotting.plot_pixel_map(one, "r"),
    ):
        drawn = [image for ax in figure.axes for image in ax.images if image.get_array().shape == (2, 2)]
        for image, expected in zip(drawn, (one, two), strict=False):
            np.testing.assert_array_equal(image.get_array(), expected)
            assert image.origin == "upper"


def test_what_is_empty_can_be_drawn_and_more_than_there_are_colours_for_is_refused():
    plotting.plot_chance(np.zeros(1), np.zeros(1), 0.0, np.zeros(1), 0.0)
    plotting.plot_field_pairs({"one": np.zeros((1, 4, 4))}, ["a"])
    plotting.plot_pixel_map(np.full((2, 2), np.nan), "none")
    plotting.plot_maps({"size": (image_of([], empty=np.nan), SIZES)}, None)
    with pytest.raises(ValueError, match="7 to draw; expected up to 6"):
        plotting.plot_lags(range(3), dict.fromkeys("tuvwxyz", range(3)), "R²")
