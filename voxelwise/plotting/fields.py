"""Receptive fields of single voxels, as images on the screen."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.patches import Rectangle

from .slices import draw_marked_slice
from .style import MARK_COLOURS, MARKS, PIXEL_COLOUR, dark_figure, draw_screen, pair_up, settle

#: Coefficients below the first are hidden; the colours end at the second, or at a larger coefficient. As published.
FIELD_THRESHOLD, FIELD_LIMIT = 0.1, 0.75


def plot_fields(fields, titles, marked_pixel=None, threshold=FIELD_THRESHOLD):
    """Receptive fields of up to four voxels, each in its colour on black.

    Parameters
    ----------
    fields : ndarray, shape (n_voxels, n_rows, n_columns)
    titles : sequence of str
    marked_pixel : (int, int), optional
        Row and column of a pixel that is outlined in every field.
    threshold : float
        Coefficients below it are hidden.
    """
    figure, axes = plt.subplots(2, 2, figsize=(8, 6.8))
    limit = max(FIELD_LIMIT, np.max(fields))
    for ax, (colour, field), title in zip(axes.flat, pair_up(MARK_COLOURS, fields, "fields"), titles, strict=False):
        drawn = _draw_field(ax, field, colour, marked_pixel, limit, threshold)
        ax.set_title(title)
        figure.colorbar(drawn, ax=ax, label="SD per unit of pixel")
    for ax in axes.flat[len(fields) :]:
        ax.set_axis_off()
    return settle(figure)


def plot_summary(score_img, background, positions, fields, name, marked_pixel=None):
    """The marked voxels on the brain, and beside them what each of them sees.

    Parameters
    ----------
    score_img, background, positions
        As in :func:`plot_score_map`.
    fields, marked_pixel
        As in :func:`plot_fields`.
    name : str
        The recording's.
    """
    figure = dark_figure(4)
    draw_marked_slice(figure.add_axes((0.0, 0.0, 0.5, 1.0)), score_img, background, positions, zoomed=True)
    for number, ((colour, letter), field) in enumerate(pair_up(MARKS, fields, "fields")):
        row, column = divmod(number, 2)
        ax = figure.add_axes((0.535 + 0.235 * column, 0.52 - 0.48 * row, 0.215, 0.43))
        _draw_field(ax, field, colour, marked_pixel, max(FIELD_LIMIT, np.max(fields)))
        ax.tick_params(left=False, bottom=False, labelleft=False, labelbottom=False)
        ax.text(0.04, 0.96, letter, color=colour, transform=ax.transAxes, va="top", weight="bold")
    figure.text(0.01, 0.03, f"recording: {name}", color="0.7", fontsize=9)
    return figure


def _draw_field(ax, field, colour, marked_pixel, limit, threshold=FIELD_THRESHOLD):
    """One field on black, in the colour of its voxel; coefficients of ``limit`` are white."""
    ax.imshow(np.zeros(field.shape), vmin=0, vmax=1)
    colour = np.array(to_rgb(colour))
    # From the threshold on a colour stands out from the black of hidden coefficients.
    first = 0.25 * colour if threshold > 0 else 0 * colour
    colours = LinearSegmentedColormap.from_list("field", [first, colour, (1, 1, 1)])
    hidden = np.ma.masked_less(field, threshold)
    drawn = draw_screen(ax, hidden, "0.4", ticks=True, cmap=colours, vmin=0, vmax=limit)
    ax.set(xticks=range(0, field.shape[1], 3), yticks=range(0, field.shape[0], 3))
    if marked_pixel is not None:
        row, column = marked_pixel
        ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, facecolor="none", edgecolor=PIXEL_COLOUR, lw=2.5))
    return drawn
