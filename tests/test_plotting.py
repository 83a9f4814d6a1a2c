"""What a figure must not get wrong: places, orientation, what is hidden."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from voxelwise import plotting


@pytest.fixture(autouse=True)
def off_screen():
    plt.switch_backend("agg")
    yield
    plt.close("all")


def image_with(position, affine, shape=(8, 9, 5)):
    volume = np.zeros(shape, dtype=np.float32)
    volume[position] = 0.5
    return nibabel.Nifti1Image(volume, affine)


@pytest.mark.parametrize("x_sign", [1, -1], ids=["left first", "right first"])
def test_the_square_lies_on_its_voxel_and_left_is_left(x_sign):
    """A painted voxel at x < 0 appears in the left half, inside its own square, over the same spot of the background."""
    affine = np.diag([3.0 * x_sign, 3.0, 3.0, 1.0])
    affine[:3, 3] = [-10.5 * x_sign, -12, -6]
    position = (1 if x_sign > 0 else 6, 7, 2)
    image = image_with(position, affine)
    figure = plotting.plot_score_map(image, image, [position])
    whole = figure.axes[0]
    background, painted = (shown.get_array() for shown in whole.images)
    row, column = np.argwhere(~np.ma.getmaskarray(painted))[0]
    assert (row, column) == (7, 1)
    square = whole.patches[0].get_bbox()
    assert (square.x0 + square.x1) / 2 == pytest.approx(column) and (square.y0 + square.y1) / 2 == pytest.approx(row)
    fine_row, fine_column = np.unravel_index(np.argmax(background), background.shape)
    assert ((fine_row + 0.5) / 3 - 0.5, (fine_column + 0.5) / 3 - 0.5) == pytest.approx((row, column), abs=0.34)
    assert "z = 0 mm" in figure.texts[0].get_text()


def test_voxels_of_other_slices_are_not_marked():
    image = image_with((3, 3, 2), np.eye(4))
    figure = plotting.plot_score_map(image, None, [(3, 3, 2), (4, 4, 2), (4, 4, 3)])
    assert len(figure.axes[0].patches) == 2


def test_an_empty_map_can_be_drawn():
    image = nibabel.Nifti1Image(np.zeros((8, 9, 5), np.float32), np.eye(4))
    assert plotting.plot_score_map(image, None, [(3, 3, 2)]).axes


def test_fields_hide_small_weights_and_carry_the_colours_of_the_squares():
    fields = np.zeros((4, 10, 10))
    fields[:, 3, 2], fields[:, 5, 5] = 0.5, 0.09
    figure = plotting.plot_fields(fields, list("abcd"), (4, 2))
    for number, ax in enumerate(figure.axes[:4]):
        shown = ax.images[1]
        assert np.argwhere(~np.ma.getmaskarray(shown.get_array())).tolist() == [[3, 2]]
        np.testing.assert_allclose(shown.cmap(0.5)[:3], to_rgb(plotting.MARK_COLOURS[number]), atol=0.01)
        frame = ax.patches[0].get_bbox()
        assert (frame.x0, frame.y0, frame.x1, frame.y1) == (1.5, 3.5, 2.5, 4.5)


def test_fields_of_fewer_voxels_leave_the_other_panels_empty():
    figure = plotting.plot_fields(np.ones((2, 4, 4)), ["a", "b"])
    assert [bool(ax.axison) for ax in figure.axes[:4]] == [True, True, False, False]


def test_each_score_falls_into_the_histogram():
    scores = np.array([-0.11, -0.01, 0.0, 0.3, 0.3, 0.601])
    heights = [bar.get_height() for bar in plotting.plot_score_histogram(scores).axes[0].patches]
    assert sum(heights) == len(scores)


def test_shading_marks_the_volumes_with_an_image():
    shown = np.array([False, True, True, False])
    figure = plotting.plot_time_course(np.zeros(4), shown, np.ones(4))
    heights, edges, _ = figure.axes[0].patches[0].get_data()
    assert heights.tolist() == shown.tolist()
    assert edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5], "volume 1 is centred on 1"
    assert len(figure.axes[0].lines) == 2
