"""What a figure must not get wrong: places, orientation, what is hidden."""

import nibabel
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

from voxelwise import plotting

pytestmark = pytest.mark.usefixtures("off_screen")


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
    assert ((fine_row + 0.5) / 3 - 0.5, (fine_column + 0.5) / 3 - 0.5) == pytest.approx((row, column), abs=1e-6)
    assert [shown.get_extent() for shown in whole.images] == [[-0.5, 7.5, -0.5, 8.5]] * 2, (
        "voxels are centred on whole numbers"
    )
    assert "z = 0 mm" in figure.texts[0].get_text()


def test_voxels_of_other_slices_are_not_marked():
    image = image_with((3, 3, 2), np.eye(4))
    figure = plotting.plot_score_map(image, None, [(3, 3, 2), (4, 4, 2), (4, 4, 3)])
    assert len(figure.axes[0].patches) == 2


@pytest.mark.parametrize("best, limit", [(0, 0.1), (0.03, 0.1), (0.31, 0.4), (0.4, 0.4)])
def test_the_colours_end_at_the_next_tenth_and_an_empty_map_can_be_drawn(best, limit):
    volume = np.zeros((8, 9, 5), np.float64)
    volume[3, 3, 2] = best
    figure = plotting.plot_score_map(nibabel.Nifti1Image(volume, np.eye(4)), None, [(3, 3, 2)])
    assert figure.axes[0].images[0].get_clim() == (0, limit)


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


def test_images_share_one_scale_on_which_the_largest_is_white():
    images = np.array([[[0.0, 0.5]], [[0.25, 1.0]]])
    axes = plotting.plot_stimuli(images, ["a", "b"]).axes
    for ax, image, title in zip(axes, images, "ab", strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
        assert ax.images[0].get_clim() == (0, 1) and ax.get_title() == title


def test_each_score_falls_into_the_histogram():
    scores = np.array([-0.11, -0.01, 0.0, 0.3, 0.3, 0.601])
    (ax,) = plotting.plot_score_histogram(scores).axes
    assert sum(bar.get_height() for bar in ax.patches) == len(scores)
    assert ax.get_yscale() == "log"


def test_a_search_marks_the_best_penalty_of_each_curve_and_has_a_bar_for_each_choice():
    alphas, curves = np.array([1.0, 10, 100]), np.array([[0.1, 0.2], [0.3, 0.1], [0.2, 0.0]])
    choices = np.array([[1.0, 10], [10, 10]])
    above, below = plotting.plot_alpha_search(alphas, curves, ["a", "b"], curves.mean(axis=1), choices, 50.0).axes
    lines = {line.get_label(): (list(line.get_ydata()), line.get_color()) for line in above.lines}
    for curve, label, colour in zip(curves.T, "ab", plotting.MARK_COLOURS, strict=False):
        assert lines[label] == (curve.tolist(), colour)
    marks = [line.get_xydata().tolist() for line in above.lines if line.get_marker() == "o"]
    assert marks == [[[10, 0.3]], [[1, 0.2]], [[10, pytest.approx(0.2)]]]
    counts, edges, _ = below.patches[0].get_data()
    assert counts.tolist() == [1, 3, 0]
    np.testing.assert_allclose(np.log10(edges), [-0.5, 0.5, 1.5, 2.5])  # halfway, as they are seen
    assert above.get_xscale() == "log" and below.lines[0].get_xdata()[0] == 50


def test_shading_marks_the_volumes_with_an_image():
    shown = np.array([False, True, True, False])
    figure = plotting.plot_time_course(np.array([1, 2, 3, 4]), shown, np.ones(4))
    heights, edges, _ = figure.axes[0].patches[0].get_data()
    assert heights.tolist() == shown.tolist()
    assert edges.tolist() == [0.5, 1.5, 2.5, 3.5, 4.5], "volume 1 is centred on 1"
    lines = {line.get_label(): line.get_xydata().tolist() for line in figure.axes[0].lines}
    assert lines == {
        "measured": [[1, 1], [2, 2], [3, 3], [4, 4]], "predicted": [[1, 1], [2, 1], [3, 1], [4, 1]]
    }  # fmt: skip


def fields_at(*places):
    return pd.DataFrame(places, columns=["row", "column", "size"])


def test_a_disc_lies_where_its_field_does_and_is_as_large():
    """Row 1 is above row 4; just inside the disc the screen is tinted, just outside it is not."""
    plotting.use_book_style()
    groups = {"left": fields_at((1, 6, 0.5), (4, 5, 1.5)), "right": fields_at(), "midline": fields_at((2, 0, 1))}
    figure = plotting.plot_centres(groups, (9, 7))
    (ax,) = figure.axes
    figure.canvas.draw()
    canvas = np.asarray(figure.canvas.buffer_rgba()).astype(int)

    def colour(row, column):
        x, y = ax.transData.transform((column, row))
        return canvas[len(canvas) - int(y) - 1, int(x), :3]

    bare = colour(7.5, 1)
    for row, column, size in ((1, 6, 0.5), (4, 5, 1.5), (2, 0, 1)):
        assert (colour(row - 0.9 * size, column) != bare).any()
        np.testing.assert_array_equal(colour(row - 1.1 * size, column), bare)
    assert (colour(1, 6) - bare).argmax() == 2, "the first group is blue"
    assert np.ptp(colour(2, 0)) == 0 and colour(2, 0)[0] < 128, "the third is grey, with and without a second"
    assert ax.yaxis_inverted() and ax.get_aspect() == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["left (2)", "midline (1)"]


def test_maps_paint_each_voxel_in_its_slice_and_nothing_else():
    """Six voxels in three slices, the first axis from right to left; a fourth slice would have nothing new to show."""
    affine = np.diag([-3.0, 3.0, 3.0, 1.0])
    volume = np.full((8, 9, 12), np.nan, dtype=np.float32)
    places = [(1, 2, 2), (2, 2, 2), (1, 2, 5), (6, 7, 5), (1, 2, 9), (2, 3, 9)]
    volume[tuple(np.transpose(places))] = [0, 90, 180, -90, 45, -45]
    image = nibabel.Nifti1Image(volume, affine)
    colours = dict(cmap=plotting.DIRECTION_COLOURS, vmin=-180, vmax=180)
    maps = {"angle": (image, colours), "size": (image, dict(cmap="plasma", vmin=0, vmax=1))}
    figure = plotting.plot_maps(maps, nibabel.Nifti1Image(np.arange(864.0).reshape(8, 9, 12), affine))
    panels = figure.axes[:6]
    assert [ax.get_ylabel() for ax in panels[::2]] == ["z =\n6 mm", "z =\n15 mm", "z =\n27 mm"]
    for ax, k in zip(panels, (2, 2, 5, 5, 9, 9), strict=True):
        painted = ax.images[1].get_array()
        expected = {(j, 7 - i): volume[i, j, k] for i, j, where in places if where == k}  # +x is right
        assert {tuple(at): painted[tuple(at)] for at in np.argwhere(~np.ma.getmaskarray(painted)).tolist()} == expected
        assert ax.get_xlim() == (-0.5, 7.5) and ax.get_ylim() == (0.5, 8.5), "all painted voxels and a rim of one"


def test_maps_without_background_or_voxels_can_be_drawn():
    image = nibabel.Nifti1Image(np.full((8, 9, 5), np.nan, np.float32), np.eye(4))
    assert plotting.plot_maps({"size": (image, dict(cmap="plasma", vmin=0, vmax=1))}, None).axes


def test_the_wheel_has_the_colours_of_the_directions():
    """Right 0 and cold, up 90 and light, down dark, left warm; one colour on both sides of 180."""
    image = image_with((3, 3, 2), np.eye(4))
    colours = dict(cmap=plotting.DIRECTION_COLOURS, vmin=-180, vmax=180)
    figure = plotting.plot_maps({"angle": (image, colours)}, None)
    wheel = figure.axes[-1]
    figure.canvas.draw()
    canvas = np.asarray(figure.canvas.buffer_rgba()).astype(int)
    for angle in (0, 90, 179, -179, -90, 45):
        x, y = wheel.transData.transform((np.radians(angle), 0.75))
        expected = 255 * np.array(plotting.DIRECTION_COLOURS((angle + 180) / 360)[:3])
        np.testing.assert_allclose(canvas[len(canvas) - int(y) - 1, int(x), :3], expected, atol=8)
    left, down, right, up, again = plotting.DIRECTION_COLOURS([0, 0.25, 0.5, 0.75, 1.0])[:, :3]
    np.testing.assert_allclose(left, again, atol=0.01)
    assert right[2] > right[0] and left[0] > left[2] and up.sum() > 2 * down.sum()


def test_sizes_of_each_group_have_a_panel_with_their_lines():
    groups = {name: pd.DataFrame({"eccentricity": [n, 2.0], "size": [1.0, n]}) for n, name in enumerate("abcde")}
    figure = plotting.plot_sizes(groups, groups, groups)
    assert [bool(ax.axison) for ax in figure.axes] == [True] * 5 + [False]
    for n, ax in enumerate(figure.axes[:5]):
        assert ax.get_title() == f"{'abcde'[n]} (n = 2)"
        np.testing.assert_array_equal(ax.collections[0].get_offsets(), [(n, 1), (2, n)])
        lines = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
        expected = {"median": [[n, 1], [2, n]], "true median": [[n, 1], [2, n]], "median, a": [[0, 1], [2, 0]]}
        assert lines == {label: line for label, line in expected.items() if n > 0 or label != "median, a"}
    assert len(plotting.plot_sizes({"all": groups["a"]}, {"all": groups["a"]}).axes) == 1


def test_recovery_holds_what_was_found_against_the_truth():
    truth = fields_at((1, 2, 0.5), (3, 5, 1))
    found = {"lasso": truth[["row", "column"]] + 1, "Gaussian": truth - 0.25}
    axes = plotting.plot_recovery(truth, found).axes
    assert [len(ax.collections) for ax in axes] == [2, 2, 1]
    np.testing.assert_array_equal(axes[1].collections[0].get_offsets(), [(2, 3), (5, 6)])
    np.testing.assert_array_equal(axes[2].collections[0].get_offsets(), [(0.5, 0.25), (1, 0.75)])
    assert all(ax.get_xlim() == ax.get_ylim() for ax in axes), "the diagonal goes from corner to corner"


def test_the_summary_shows_each_marked_voxel_beside_its_field():
    positions = [(3, 3, 2), (4, 4, 2)]
    fields = np.zeros((2, 10, 10))
    fields[0, 4, 2], fields[1, 3, 3] = 0.3, 1.5
    figure = plotting.plot_summary(image_with(positions[0], np.eye(4)), None, positions, fields, "mine", (4, 2))
    brain, *panels = figure.axes
    assert len(brain.patches) == len(panels) == 2
    for panel, square, letter, peak in zip(panels, brain.patches, "AB", [(4, 2), (3, 3)], strict=True):
        shown = panel.images[1]
        assert np.argwhere(~np.ma.getmaskarray(shown.get_array())).tolist() == [list(peak)]
        assert shown.get_clim() == (0, 1.5), "one scale for all"
        assert panel.texts[0].get_text() == letter
        assert to_rgb(panel.texts[0].get_color()) == square.get_edgecolor()[:3]
    assert [text.get_text() for text in figure.texts] == ["recording: mine"]
