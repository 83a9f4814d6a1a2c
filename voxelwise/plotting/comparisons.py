"""One model, feature space or lag beside another: scores, fields and time courses."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from . import style
from .style import GUIDE, LINE_COLOURS, MARKS, draw_diagonal, pair_up, settle


def plot_score_pairs(pairs, xlabel, ylabel, marked=()):
    """Two scores of each voxel against each other, around the diagonal on which they agree; a panel for each pair.

    ``pairs`` holds them by the title of the panel, those along x and those along y. Up to four ``marked`` voxels get
    the colours and letters that mark them.
    """
    figure, axes = plt.subplots(1, len(pairs), figsize=(8, 0.6 + 7.6 / max(len(pairs), 2)), squeeze=False)
    for ax, (title, (x, y)) in zip(axes.flat, pairs.items(), strict=True):
        ax.axhline(0, **GUIDE, linestyle=":")
        ax.scatter(x, y, s=8, alpha=0.3, linewidth=0, color="0.35")
        for (colour, letter), voxel in pair_up(MARKS, marked, "marked voxels"):
            ax.plot(x[voxel], y[voxel], "o", color=colour, markeredgecolor="black", label=letter)
        draw_diagonal(ax)
        ax.set(title=title, xlabel=xlabel)
        ax.locator_params(nbins=7)
    axes[0, 0].set_ylabel(ylabel)
    if len(marked):
        axes[0, 0].legend(loc="upper left", handletextpad=0.1)
    return settle(figure)


def plot_score_groups(groups, labels):
    """One measure of each voxel against another, around the line on which both are the same; empty groups left out.

    ``groups`` holds both measures, the horizontal one first, by the name of up to three groups. The first is grey,
    later ones lie on top in colours.
    """
    figure, ax = plt.subplots(figsize=(8, 5.6))
    for colour, (name, (x, y)) in pair_up((style.FRAME, style.BLUE, style.VERMILION), groups.items(), "groups"):
        if len(x):
            ax.scatter(x, y, s=9, color=colour, alpha=0.4, linewidth=0, label=f"{name} ({len(x)})")
    draw_diagonal(ax)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    return settle(figure, legend=3, markerscale=3)


def plot_partition(table, total):
    """What each feature space, a row of the table, explains by up to six measures, its columns, as bars.

    A dashed line stands for all spaces together.
    """
    figure, ax = plt.subplots()
    places, width = np.arange(len(table)), 0.8 / table.shape[1]
    for number, (colour, name) in enumerate(pair_up(LINE_COLOURS, table, "measures")):
        ax.bar(places + width * (number + 0.5) - 0.4, table[name], width, color=colour, label=name)
    ax.axhline(total, **GUIDE, linestyle="--", label="all spaces")
    ax.axhline(0, **GUIDE)
    ax.set_xticks(places, table.index)
    ax.set_ylabel("R² on held-out runs, mean over voxels")
    return settle(figure, legend=4)


def plot_field_pairs(fields, titles, marked_pixel=None):
    """Fields of the same voxels from several fits: a fit a row, or, of more fits than voxels, a voxel a row.

    ``fields`` holds arrays of shape (n_voxels, n_rows, n_columns) by the name of the fit; the voxels have ``titles``.
    The pixel (row, column) that is marked is framed in every field.
    """
    limit = max(np.abs(weights).max() for weights in fields.values()) or 1
    above, beside, panels = titles, list(fields), list(fields.values())
    if len(fields) > len(titles):
        above, beside, panels = beside, above, list(zip(*panels, strict=True))
    shape = len(beside), len(above)
    figure, axes = plt.subplots(*shape, figsize=(8, 0.6 + min(1.75, 7 / shape[1]) * shape[0]), squeeze=False)
    for row, name, drawn_in in zip(axes, beside, panels, strict=True):
        row[0].set_ylabel(name)
        for ax, field in zip(row, drawn_in, strict=True):
            drawn = style.draw_screen(ax, field, cmap=style.FIELD_COLOURS, vmin=-limit, vmax=limit)
            if marked_pixel is not None:
                corner = marked_pixel[1] - 0.5, marked_pixel[0] - 0.5
                ax.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=style.INK, linewidth=1.5))
    for ax, title in zip(axes[0], above, strict=True):
        ax.set_title(title)
    figure.colorbar(drawn, ax=axes, label="SD per unit of pixel", shrink=0.8)
    return settle(figure)


def plot_lags(lags, curves, label, truth=None):
    """Curves over lag, such as scores, or how the response of a voxel rises and falls; dashed, the true ones.

    ``curves`` holds up to six by the name of a group of voxels, or by the letters of marked voxels, whose colours they
    get; ``truth`` has shape (n_lags, n_curves).
    """
    figure, ax = plt.subplots()
    marked = curves.keys() <= set(style.MARK_LETTERS)
    colours, size = (style.MARK_COLOURS, 6) if marked else (LINE_COLOURS, 4)
    for number, (colour, (name, curve)) in enumerate(pair_up(colours, curves.items(), "curves")):
        ax.plot(lags, curve, "o-", color=colour, markersize=size, label=name)
        if truth is not None:
            ax.plot(lags, truth[:, number], color=colour, linestyle="--", label=f"{name}, true")
    ax.axhline(0, **GUIDE, linestyle=":")
    ax.set(xlabel="lag (volumes)", ylabel=label, xticks=list(lags))
    return settle(figure, legend=6)
