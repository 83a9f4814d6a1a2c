"""What the figures of the noise ceiling must not get wrong."""

import numpy as np
import pytest

from voxelwise import plotting

pytestmark = pytest.mark.usefixtures("off_screen")


def test_repeats_stand_below_their_image_around_their_mean():
    images = [np.eye(3), 1 - np.eye(3)]
    short = np.array([[1.0, 2, 3, 4], [3, 4, 5, np.nan], [8, 0, 1, 2]])
    figure = plotting.plot_repeats(images, [short, np.ones((4, 5))], n_on=[2, 1], lag=3)
    above, below = figure.axes[:2], figure.axes[2:]
    for ax, image in zip(above, images, strict=True):
        np.testing.assert_array_equal(ax.images[0].get_array(), image)
    *repeats, mean = (line.get_ydata() for line in below[0].lines)
    np.testing.assert_array_equal(repeats, short)
    assert mean.tolist() == [4, 2, 3, 3], "a repeat that ends early has no say in the rest"
    assert {tuple(line.get_xdata()) for line in below[0].lines} == {(3, 4, 5, 6)}, "three volumes after the onset"
    assert [ax.get_title() for ax in below] == ["3 repeats", "4 repeats"]
    assert [ax.patches[0].get_bbox().x1 for ax in below] == [1.5, 0.5], "the onset is at 0, whatever the lag"
    assert below[0].get_ylim() == below[1].get_ylim() and below[0].get_xlim() != below[1].get_xlim()


def test_pairs_have_one_scale_and_the_line_where_both_are_equal():
    x, y = np.array([0.1, -0.2]), np.array([0.6, 0.0])
    none = np.array([])
    figure = plotting.plot_score_groups({"one": (x, y), "none": (none, none), "two": (y, x)}, ("across", "up"))
    (ax,) = figure.axes
    assert ax.get_xlim() == ax.get_ylim() and ax.get_aspect() == 1
    assert ax.get_xlim()[0] < -0.2 and ax.get_xlim()[1] > 0.6
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("across", "up")
    np.testing.assert_array_equal(ax.collections[0].get_offsets(), np.column_stack([x, y]))
    assert ax.lines[0].get_slope() == 1
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["one (2)", "two (2)"]
    first, second = (collection.get_facecolor()[0, :3] for collection in ax.collections)
    assert np.ptp(first) == 0 and np.ptp(second) > 0, "the first group is grey"
