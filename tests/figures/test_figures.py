"""What a figure must not get wrong: places, orientation, what is hidden, colours, order."""

import matplotlib.pyplot as plt
import nibabel
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex, to_rgb

from voxelwise import plotting
from voxelwise.plotting.stills import plot_explored, plot_planes
from voxelwise.plotting.style import BLUE, GREEN, INK, VERMILION
from voxelwise.widgets.fragment import picture_of

A, B, *_ = plotting.MARK_COLOURS
N, X, Y, Z = np.arange(1, 4), np.array([0.1, 0.5, -0.2]), np.array([0.3, 0.2, 0.0]), np.array([0.9, 0.1, 0.1])
BEFORE, AFTER = (pd.DataFrame({"row": r, "column": c, "size": s}) for r, c, s in ((X, Y, Z), (Y, Z, X)))
SIZES = {name: pd.DataFrame({"eccentricity": X * n, "size": Y * n}) for n, name in enumerate("abcde", start=1)}
DIRECTIONS = dict(cmap=plotting.DIRECTION_COLOURS, vmin=-180, vmax=180)


@pytest.fixture(autouse=True)
def off_screen():
    """Figures are drawn without a window, and closed in the end."""
    plt.switch_backend("agg")
    yield
    plt.close("all")


def image_of(places, values=0.5, affine=None, shape=(8, 9, 5), empty=0.0):
    volume = np.full(shape, empty, dtype=np.float32)
    if places:
        volume[tuple(np.transpose(places))] = values
    return nibabel.Nifti1Image(volume, np.eye(4) if affine is None else affine)


def shown_at(image):
    """Where a drawn image is not masked: (row, column) and value."""
    values = image.get_array()
    return {tuple(at): values[tuple(at)].item() for at in np.argwhere(~np.ma.getmaskarray(values)).tolist()}


@pytest.mark.parametrize(
    ("name", "given", "number", "expected"),
    [
        ("time_course", (X, X > 0, Y), 0, {"measured": (N, X, INK), "predicted": (N, Y, VERMILION)}),
        ("shifts", (X, X > 0, Y), 1, {"_child1": (N - 1, Y, BLUE)}),
        ("cleaning", (Y, X, X > 0), 0, {"measured": (N, Y, INK)}),
        ("overfitting", (10.0**N, {"a": {"seen": X, "unseen": Y}, "b": {"seen": Y, "unseen": Z}}, 10), 1,
         {"seen": (10.0**N, Y, INK), "unseen": (10.0**N, Z, VERMILION)}),
        ("score_pairs", ({"old": (Z, Z), "new": (X, Y)}, "x", "y", [2, 0]), 1,
         {"A": (X[2:], Y[2:], A), "B": (X[:1], Y[:1], B)}),
        ("score_groups", ({"a": (X, Y), "none": (X[:0], Y[:0]), "b": (Y, X)}, ("x", "y")), 0,
         {"a (3)": (X, Y, "0.6"), "b (3)": (Y, X, VERMILION)}),
        ("lags", (N, {"V1": X, "V2": Y}), 0, {"V1": (N, X, BLUE), "V2": (N, Y, VERMILION)}),
        ("time_courses", (N, np.transpose([X, Y]), np.transpose([Y, Z])), 0, {"B": (N, Y, B), "B, true": (N, Z, B)}),
        ("alpha_search", (10.0**N, np.transpose([X, Y]), "AB", Z, 10.0**N, 5.0), 0,
         {"mean": (10.0**N, Z, INK), "A": (10.0**N, X, A), "B": (10.0**N, Y, B)}),
        ("sizes", (SIZES, SIZES, SIZES), 2, {"voxel": (3 * X, 3 * Y, BLUE), "median": (3 * X, 3 * Y, BLUE),
         "median, a": (X, Y, "0.6"), "true median": (3 * X, 3 * Y, VERMILION)}),
        ("recovery", (BEFORE, {"lasso": AFTER[["column"]], "Gaussian": AFTER}), 1,
         {"lasso": (Y, Z, VERMILION), "Gaussian": (Y, Z, BLUE)}),
        ("recovery", (BEFORE, {"lasso": AFTER[["column"]], "Gaussian": AFTER}), 2, {"Gaussian": (Z, X, BLUE)}),
        ("power", (X, {"a": Y, "b": Z}, 0.05), 0, {"a": (X, Y, BLUE), "b": (X, Z, VERMILION)}),
        ("learning_curves", ({"a": (N, [X, X + 2, X + 1]), "b": (N, [Y, Y, Y])}, "R²", {"a": 3.0}), 0,
         {"a": (N, X.mean() + [0, 2, 1], BLUE), "b": (N, 3 * [Y.mean()], VERMILION)}),
        ("identification", ({"a": (N, X), "b": (N, Y)},), 0, {"a": (N, 100 * X, BLUE), "b": (N, 100 * Y, VERMILION)}),
        ("regions", ({"left": BEFORE.set_axis(list("uvw")), "right": AFTER.set_axis(list("vwx"))}, ["row"]), 0,
         {"left": (N - 1, X, BLUE), "right": (N, Y, VERMILION)}),
        ("chance", (X, Z, 0.3, Y, 0.2), 0, {"its own score": ([0.3, 0.3], [0, 1], VERMILION)}),
        ("chance", (X, Z, 0.3, Y, 0.2), 1, {"threshold": ([0.2, 0.2], [0, 1], GREEN)}),
        ("candidates", (X, 1, np.eye(3), (1, 3)), 0,
         {"stimulus on the screen": ([2], [0.5], VERMILION), "other stimuli": ([1, 3], X[[0, 2]], "0.45")}),
    ],
)  # fmt: skip
def test_each_value_has_its_place_label_and_colour(name, given, number, expected):
    ax = getattr(plotting, f"plot_{name}")(*given).axes[number]
    drawn = {line.get_label(): (*np.transpose(line.get_xydata()), line.get_color()) for line in ax.lines}
    dots = [each for each in ax.collections if hasattr(each, "get_sizes")]
    drawn |= {each.get_label(): (*np.transpose(each.get_offsets()), each.get_facecolor()[0]) for each in dots}
    for label, (x, y, colour) in expected.items():
        np.testing.assert_allclose(drawn[label][:2], (x, y))
        assert to_hex(drawn[label][2]) == to_hex(colour)


@pytest.mark.parametrize("side", [1, -1], ids=["left first", "right first"])
def test_marks_lie_on_their_voxel_and_left_is_left(side):
    """A voxel at x < 0 is in the left half, in its own square, over its spot of the background; so in three planes."""
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
    figure = plot_planes(image, None, position)
    assert [text.get_text() for text in figure.texts] == ["x = -7.5 mm", "y = 9 mm", "z = 0 mm"]
    for ax, (across, up) in zip(figure.axes, [(7, 2), (1, 2), (1, 7)], strict=False):
        assert shown_at(ax.images[-1]) == {(up, across): 0.5} and ax.get_ylim()[0] < ax.get_ylim()[1]
        assert (ax.lines[0].get_xdata()[0], ax.lines[1].get_ydata()[0]) == (across, up)


@pytest.mark.parametrize(("best", "limit"), [(0, 0.1), (0.03, 0.1), (0.31, 0.4), (0.5, 0.5)])
def test_the_colours_end_at_the_next_tenth_and_an_empty_map_can_be_drawn(best, limit):
    figure = plotting.plot_score_map(image_of([(3, 3, 2)], best), None, [(3, 3, 2)])
    assert figure.axes[0].images[0].get_clim() == (0, limit)


def test_fields_hide_small_weights_and_have_the_colours_of_the_squares():
    fields = np.zeros((2, 10, 10))
    fields[:, 3, 2], fields[:, 5, 5], fields[1, 4, 2] = 0.5, 0.09, 1.5
    figure = plotting.plot_fields(fields, ["a", "b"], (4, 2))
    places = [(3, 3, 2), (4, 4, 2)]
    summary = plotting.plot_summary(image_of(places), None, places, fields, "mine", (4, 2))
    for n, (ax, panel) in enumerate(zip(figure.axes[:2], summary.axes[1:], strict=True)):
        for drawn in (ax.images[1], panel.images[1]):
            assert shown_at(drawn) == {(3, 2): 0.5} | ({(4, 2): 1.5} if n else {})
            assert drawn.get_clim() == (0, 1.5), "one scale for all"
            np.testing.assert_allclose(drawn.cmap(0.5)[:3], to_rgb((A, B)[n]), atol=0.01)
        assert ax.patches[0].get_bbox().get_points().tolist() == [[1.5, 3.5], [2.5, 4.5]]
        assert (panel.texts[0].get_text(), panel.texts[0].get_color()) == ("AB"[n], (A, B)[n])
        assert summary.axes[0].patches[n].get_edgecolor()[:3] == to_rgb((A, B)[n])


def test_maps_paint_each_voxel_in_its_slice_and_nothing_else():
    """Six voxels in three slices, the first axis from right to left; a fourth slice would have nothing new to show."""
    affine, values = np.diag([-3.0, 3.0, 3.0, 1.0]), [0, 90, 180, -90, 45, -45]
    places = [(1, 2, 2), (2, 2, 2), (1, 2, 5), (6, 7, 5), (1, 2, 9), (2, 3, 9)]
    image = image_of(places, values, affine, (8, 9, 12), np.nan)
    maps = {"angle": (image, DIRECTIONS), "size": (image, dict(cmap="plasma", vmin=0, vmax=1))}
    figure = plotting.plot_maps(maps, image_of(places, values, affine, (8, 9, 12)))
    assert [ax.get_ylabel() for ax in figure.axes[:6:2]] == ["z =\n6 mm", "z =\n15 mm", "z =\n27 mm"]
    for ax, k in zip(figure.axes[:6], (2, 2, 5, 5, 9, 9), strict=True):
        here = {(j, 7 - i): value for (i, j, where), value in zip(places, values, strict=True) if where == k}
        assert shown_at(ax.images[1]) == here, "+x is right"
        assert (ax.get_xlim(), ax.get_ylim()) == ((-0.5, 7.5), (0.5, 8.5)), "all painted voxels and a rim of one"


def test_each_class_has_its_colour_and_design_matrices_run_to_the_right():
    places = [(1, 2, 2), (6, 7, 2), (1, 3, 5)]
    figure = plotting.plot_classes(image_of(places, [0, 1, 2], empty=np.nan, shape=(8, 9, 12)), "abc", None)
    painted = [ax.images[0] for ax in figure.axes]
    assert [shown_at(image) for image in painted] == [{(2, 1): 0, (7, 6): 1}, {(3, 1): 2}]
    named = {patch.get_label(): to_hex(patch.get_facecolor()) for patch in figure.legends[0].legend_handles}
    assert [to_hex(painted[0].to_rgba(number)) for number in range(3)] == list(named.values()) and list(named) == list(
        "abc"
    )
    _, many = plotting.plot_designs({"one": np.c_[X], "many": np.c_[X, Y]}).axes
    np.testing.assert_array_equal(many.images[0].get_array(), [X, Y])
    assert many.images[0].get_extent() == [0.5, 3.5, 1.5, -0.5], "volumes are counted from 1"


def test_each_field_is_a_dot_at_its_centre_and_rows_are_counted_downwards():
    fields = pd.DataFrame({"row": [0.0, 2], "column": [1.0, 5]})
    for ax, dots in zip(plotting.plot_centres({"a": fields, "b": fields[:0]}, (9, 7), 2).axes, (2, 0), strict=True):
        assert ax.collections[0].get_offsets().tolist() == [[1, 0], [5, 2]][:dots] and ax.yaxis_inverted()


def test_each_reconstruction_stands_below_its_stimulus():
    rows = dict(zip(("seen", "mean", "single"), np.random.default_rng(0).random((3, 7, 3, 4)), strict=True))
    figure = plotting.plot_reconstructions(rows, (0, 1), n_columns=5)
    figure.canvas.draw()
    boxes = {ax.images[0].get_array().tobytes(): ax.get_window_extent() for ax in figure.axes if ax.images}
    for pictures in zip(*rows.values(), strict=True):
        above, middle, below = (boxes[each.tobytes()] for each in pictures)
        assert above.x0 == pytest.approx(middle.x0) == pytest.approx(below.x0) and above.y0 > middle.y0 > below.y0


def test_pictures_are_upright_and_share_one_scale():
    """Each is what was given, its first row on top; black and white, or the two ends, are the same for all."""
    one, two = np.array([[0.0, 0.5], [0.1, 0.2]]), np.array([[0.25, 1.0], [0.3, 0.4]])
    courses = [np.array([[1.0, 2, 3], [3, 4, np.nan]]), np.ones((4, 3))]
    repeats = plotting.plot_repeats([one, two], courses, n_on=[2, 1], lag=3)
    for figure, limits in (
        (plotting.plot_stimuli([one, two], "ab"), (0, 1)),
        (repeats, (0, 1)),
        (plotting.plot_field_pairs({"first": one[None], "second": two[None]}, "a"), (-1, 1)),
        (plotting.plot_candidates(X[:2], 0, np.reshape([one, two], (2, 4)), (2, 2)), (0, 1)),
    ):
        drawn = [ax.images[0] for ax in figure.axes if ax.images]
        for image, expected in zip(drawn, (one, two), strict=False):
            np.testing.assert_array_equal(image.get_array(), expected)
            assert image.get_clim() == limits and image.origin == "upper"
    matrices = plotting.plot_matrices(one, two).axes[:2]
    assert [ax.images[0].get_array().tolist() for ax in matrices] == [one.tolist(), two.tolist()]
    strips = plotting.plot_field_pairs({"first": one[None], "second": two[None]}, "a", (1, 0)).axes
    assert [ax.get_title() for ax in strips[:2]] == ["first", "second"] and strips[0].get_ylabel() == "a"
    assert strips[1].patches[0].get_bbox().get_points().tolist() == [[-0.5, 0.5], [0.5, 1.5]]
    *lines, mean = (line.get_xydata().tolist() for line in repeats.axes[2].lines)
    assert lines[0] == [[3, 1], [4, 2], [5, 3]] and mean == [[3, 2], [4, 3], [5, 3]], "lag 3; a repeat ends early"
    assert [ax.patches[0].get_bbox().x1 for ax in repeats.axes[2:]] == [1.5, 0.5], "from the onset on"
    for figure in (plot_explored(image_of([(3, 3, 2)]), None, [(3, 3, 2)], one, 1), plotting.plot_pixel_map(one, "r")):
        (image,) = [each for ax in figure.axes for each in ax.images if each.get_array().shape == (2, 2)]
        np.testing.assert_array_equal(image.get_array(), one)
        assert image.origin == "upper" and image.get_clim() in ((-1, 1), (0, 0.5))


def test_a_difference_stands_in_the_row_of_what_it_is_taken_from_and_none_is_left_empty():
    differences = pd.DataFrame([[np.nan, 0.2], [-0.2, np.nan]], index=["V1", "V2"], columns=["V1", "V2"])
    ax = plotting.plot_differences(differences, "R²").axes[0]
    assert shown_at(ax.images[0]) == {(0, 1): 0.2, (1, 0): -0.2} and ax.images[0].get_clim() == (-0.2, 0.2)
    assert [tick.get_text() for tick in ax.get_yticklabels()] == ["V1", "V2"] and ax.images[0].origin == "upper"


def test_bars_and_shades_hold_what_they_count():
    (ax,) = plotting.plot_score_histogram(np.array([-0.11, -0.01, 0.0, 0.3, 0.3, 0.601])).axes
    assert sum(bar.get_height() for bar in ax.patches) == 6
    alphas, curves = np.array([1.0, 10, 100]), np.array([[0.1, 0.2], [0.3, 0.1], [0.2, 0.0]])
    _, below = plotting.plot_alpha_search(alphas, curves, "AB", X, np.array([[1.0, 10], [10, 10]]), 50.0).axes
    counts, edges, _ = below.patches[0].get_data()
    assert counts.tolist() == [1, 3, 0] and np.log10(edges) == pytest.approx([-0.5, 0.5, 1.5, 2.5])
    uses = np.array([[2, 1, 0], [2, 0, 1], [3, 0, 0]])
    (ax,) = plotting.plot_nested_folds(uses).axes
    drawn = ax.collections[0]
    assert drawn.get_array().tolist() == uses.tolist() and ax.yaxis_inverted()
    assert [patch.get_facecolor() for patch in ax.get_legend().get_patches()] == [
        tuple(drawn.cmap(n)) for n in range(4)
    ]
    table = pd.DataFrame({"alone": X, "unique": Y}, index=list("uvw"))
    (ax,) = plotting.plot_partition(table[::-1], 0.9).axes
    bars = {bar.get_label(): [(each.get_center()[0], each.get_height()) for each in bar] for bar in ax.containers}
    assert np.transpose(bars["unique"]) == pytest.approx(np.array([np.arange(3) + 0.2, Y[::-1]]))
    assert np.transpose(bars["alone"]) == pytest.approx(np.array([np.arange(3) - 0.2, X[::-1]]))
    assert [tick.get_text() for tick in ax.get_xticklabels()] == list("wvu")
    assert [line.get_ydata()[0] for line in ax.lines] == [0.9, 0]
    runs, rows = np.array([0, 0, 1, 1, 1]), np.arange(5)
    (ax,) = plotting.plot_folds([(rows[2:], rows[:2]), (rows[:2], rows[2:])], runs).axes
    held_out = [bars.get_paths()[0].get_extents().extents for bars in ax.collections[::2]]
    np.testing.assert_allclose(held_out, [[0, 0.6, 2, 1.4], [2, 1.6, 5, 2.4]])
    shade = plotting.plot_time_course(X, X > 0).axes[0].patches[0].get_data()
    assert (shade.values.tolist(), shade.edges.tolist()) == ([1, 1, 0], [0.5, 1.5, 2.5, 3.5]), "centred on volumes"


def test_what_is_empty_can_be_drawn_and_more_than_there_are_colours_for_is_refused():
    plotting.plot_chance(np.zeros(1), np.zeros(1), 0.0, np.zeros(1), 0.0)
    plotting.plot_field_pairs({"one": np.zeros((1, 4, 4))}, ["a"])
    plotting.plot_pixel_map(np.full((2, 2), np.nan), "none")
    plotting.plot_maps({"size": (image_of([], empty=np.nan), dict(cmap="plasma", vmin=0, vmax=1))}, None)
    with pytest.raises(ValueError, match="5 fields; expected up to 4"):
        plotting.plot_fields(np.zeros((5, 2, 2)), "abcde")


def test_a_figure_is_the_same_whenever_it_is_drawn_and_whatever_the_reader_has_set():
    image, drawn = image_of([(3, 3, 2)]), []
    for own in ({}, {"image.origin": "lower", "text.usetex": True, "axes.grid": True, "font.size": 30}):
        with plt.rc_context(own):
            plotting.use_book_style()
            figure = plotting.plot_maps({"size": (image, dict(cmap="plasma", vmin=0, vmax=1))}, image)
            drawn += [picture_of(figure), picture_of(figure)]
    assert all(each == drawn[0] for each in drawn)
