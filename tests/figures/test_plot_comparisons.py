"""What a figure that compares models must not get wrong: which value stands where, and in whose colour."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from voxelwise import plotting

pytestmark = pytest.mark.usefixtures("off_screen")


def test_pairs_lie_where_their_scores_say():
    x, y, z = np.array([0.1, 0.5, -0.2]), np.array([0.3, 0.2, 0.0]), np.array([0.9, 0.1, 0.1])
    axes = plotting.plot_score_pairs({"first": (x, y), "second": (x, z)}, "old", "new", marked=[2, 0]).axes
    for ax, title, other in zip(axes, ("first", "second"), (y, z), strict=True):
        assert ax.get_title() == title and ax.get_xlabel() == "old"
        np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.column_stack([x, other]))
        marks = {line.get_label(): line for line in ax.lines if line.get_label() in ("A", "B")}
        for letter, voxel, colour in zip("AB", (2, 0), plotting.MARK_COLOURS, strict=False):
            assert marks[letter].get_xydata().tolist() == [[x[voxel], other[voxel]]]
            assert marks[letter].get_color() == colour
        assert ax.get_xlim() == ax.get_ylim(), "the diagonal goes from corner to corner"
        assert ax.get_xlim()[0] < -0.2 and ax.get_xlim()[1] > max(0.5, *other), "no voxel is cut off"


def test_pairs_without_marks_have_no_legend():
    (ax,) = plotting.plot_score_pairs({"one": (np.zeros(3), np.ones(3))}, "x", "y").axes
    assert ax.get_legend() is None


def test_fields_stand_in_the_row_of_their_fit_with_one_colour_for_each_sign():
    fields = {name: np.zeros((3, 9, 7)) for name in ("one", "two")}
    fields["one"][0, 2, 3], fields["two"][2, 8, 0] = 0.5, -0.25
    *axes, _ = plotting.plot_field_pairs(fields, list("abc")).axes
    assert [ax.get_ylabel() for ax in axes[::3]] == ["one", "two"]
    assert [ax.get_title() for ax in axes[:3]] == list("abc")
    for ax, field in zip(axes, [*fields["one"], *fields["two"]], strict=True):
        (shown,) = ax.images
        np.testing.assert_array_equal(shown.get_array(), field)
        assert shown.get_clim() == (-0.5, 0.5)
        white, red, blue = (shown.cmap(shown.norm(value)) for value in (0, 0.5, -0.5))
        assert min(white) > 0.95 and red[0] > 2 * red[2] and blue[2] > 2 * blue[0]


def test_fields_of_nothing_can_be_drawn():
    assert plotting.plot_field_pairs({"one": np.zeros((1, 4, 4))}, ["a"]).axes


def test_the_bar_of_a_group_has_the_colour_of_its_line_and_stands_at_its_score():
    curves = {"V1": np.array([0.1, 0.4, 0.2]), "V2": np.array([0.0, 0.1, 0.3])}
    (ax,) = plotting.plot_lags([0, 1, 2], curves, {"V1": 0.5, "V2": 0.25}).axes
    for (name, curve), bar, height in zip(curves.items(), ax.collections, (0.5, 0.25), strict=True):
        (line,) = [line for line in ax.lines if line.get_label() == name]
        np.testing.assert_array_equal(line.get_xydata(), np.column_stack([[0, 1, 2], curve]))
        ((start, end),) = bar.get_segments()
        assert start[1] == end[1] == height and 2.5 < start[0] < end[0]
        assert to_rgba(line.get_color()) == tuple(bar.get_color()[0])
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "1", "2", "all"]


@pytest.mark.parametrize("truth", [None, np.array([0.0, 1.0, 0.5])])
def test_courses_have_the_colours_of_their_voxels(truth):
    courses = np.array([[0.1, 0.2], [1.0, 0.4], [0.3, 1.0]])
    (ax,) = plotting.plot_time_courses([0, 1, 2], courses, truth).axes
    lines = {line.get_label(): line for line in ax.lines}
    for letter, course, colour in zip("AB", courses.T, plotting.MARK_COLOURS, strict=False):
        np.testing.assert_array_equal(lines[letter].get_ydata(), course)
        assert lines[letter].get_color() == colour
    assert ("true response" in lines) == (truth is not None)
    if truth is not None:
        np.testing.assert_array_equal(lines["true response"].get_xydata(), np.column_stack([[0, 1, 2], truth]))
