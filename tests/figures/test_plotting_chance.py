"""What the figures about chance must not get wrong."""

import numpy as np
import pytest

from voxelwise import plotting

pytestmark = pytest.mark.usefixtures("off_screen")


def test_all_permutations_are_counted_and_the_marks_lie_where_they_belong():
    rng = np.random.default_rng(0)
    null, largest = rng.normal(-0.04, 0.01, 200), rng.normal(0.01, 0.005, 200)
    one, every = plotting.plot_chance(null, 0.3, largest, 0.02).axes
    for ax, by_chance, mark, label in ((one, null, 0.3, "its own score"), (every, largest, 0.02, "threshold")):
        assert sum(bar.get_height() for bar in ax.patches) == 200
        assert min(bar.get_x() for bar in ax.patches) == pytest.approx(by_chance.min())
        lines = {line.get_label(): line.get_xdata()[0] for line in ax.lines}
        assert lines[label] == mark


def test_chance_that_never_varies_can_be_drawn():
    """One permutation; voxels that never change."""
    assert plotting.plot_chance(np.zeros(1), 0.0, np.zeros(1), 0.0).axes


def test_power_has_a_line_for_each_rule_and_one_for_the_rate():
    strength, found = np.array([0, 0.1, 0.5]), {"a": np.array([0.05, 0.4, 1]), "b": np.array([0, 0.2, 0.9])}
    figure = plotting.plot_power(strength, found, 0.05)
    (ax,) = figure.axes
    first, second, rate = ax.lines
    np.testing.assert_array_equal(first.get_xydata(), np.transpose([strength, found["a"]]))
    np.testing.assert_array_equal(second.get_xydata(), np.transpose([strength, found["b"]]))
    assert rate.get_ydata()[0] == 0.05
    across = ax.transData.transform([(share, 0) for share in (0, 0.01, 0.04)])[:, 0]
    assert across[2] - across[0] == pytest.approx(2 * (across[1] - across[0])), "the square root of the share"
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert first.get_color() != second.get_color() and first.get_linestyle() != second.get_linestyle()
