"""What the figures of the decoders must not get wrong: which image is the right one, and what lies below what."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from voxelwise import plotting

pytestmark = pytest.mark.usefixtures("off_screen")


def test_the_right_candidate_is_marked_and_shown_above_the_best_wrong_one():
    candidates = np.eye(6)
    correlations = np.array([0.1, -0.2, 0.7, 0.3, 0.6, 0.0])
    dots, right, wrong = plotting.plot_candidates(correlations, 4, candidates, (2, 3)).axes
    others, marked = dots.collections
    np.testing.assert_allclose(marked.get_offsets(), [(5, 0.6)])
    np.testing.assert_allclose(others.get_offsets(), [(n + 1, correlations[n]) for n in (0, 1, 2, 3, 5)])
    np.testing.assert_array_equal(right.images[0].get_array(), candidates[4].reshape(2, 3))
    np.testing.assert_array_equal(wrong.images[0].get_array(), candidates[2].reshape(2, 3))
    assert right.get_title() == "on the screen" and to_rgba(right.spines["top"].get_edgecolor()) == to_rgba("C1")
    alone = plotting.plot_candidates(correlations[:1], 0, candidates[:1], (2, 3))
    assert len(alone.axes) == 2


def test_chance_is_one_over_the_number_of_candidates():
    curves = {"random": ([1, 10, 440], [1, 0.9, 0.6]), "figure": ([1, 20], [1, 0.7])}
    (ax,) = plotting.plot_identification(curves).axes
    lines = {line.get_label(): line.get_xydata() for line in ax.lines}
    np.testing.assert_allclose(lines["random"], [(1, 100), (10, 90), (440, 60)])
    np.testing.assert_allclose(lines["figure"], [(1, 100), (20, 70)])
    numbers, chance = lines["chance"].T
    np.testing.assert_allclose(chance, 100 / numbers)
    assert numbers[0] == 1 and numbers[-1] == pytest.approx(440) and ax.get_xscale() == "log"


@pytest.mark.parametrize("n_images", [1, 7, 12])
def test_each_reconstruction_stands_below_its_image(n_images):
    rng = np.random.default_rng(0)
    rows = {name: rng.random((n_images, 3, 4)) for name in ("seen", "mean", "single")}
    figure = plotting.plot_reconstructions(rows, (0, 1), n_columns=5)
    drawn = [ax for ax in figure.axes if ax.images]
    assert len(drawn) == 3 * n_images
    figure.canvas.draw()
    places = {}
    for ax in drawn:
        shown = ax.images[0].get_array()
        (found,) = [(n, name) for name in rows for n in range(n_images) if (rows[name][n] == shown).all()]
        box = ax.get_window_extent()
        places[found] = box.x0, box.y0
        assert ax.images[0].get_clim() == (0, 1)
    for n in range(n_images):
        assert places[n, "seen"][0] == pytest.approx(places[n, "mean"][0]) == pytest.approx(places[n, "single"][0])
        assert places[n, "seen"][1] > places[n, "mean"][1] > places[n, "single"][1]
    assert figure.axes[0].get_ylabel() == "seen"


def test_a_pixel_map_has_each_number_at_its_pixel():
    values = np.array([[0.1, np.nan, -0.2], [0.5, 0.0, 0.7]])
    ax, bar = plotting.plot_pixel_map(values, "correlation").axes
    np.testing.assert_array_equal(np.ma.filled(ax.images[0].get_array(), np.nan), values)
    assert ax.images[0].get_clim() == (0, 0.7) and bar.get_ylabel() == "correlation"
    assert plotting.plot_pixel_map(np.full((2, 2), np.nan), "none").axes
