"""One model, feature space, lag or trial beside another: scores, fields and time courses."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from . import style
from .style import GUIDE, LINE_COLOURS, MARKS, draw_diagonal, pair_up, settle


def plot_score_pairs(pairs, xlabel, ylabel, marked=()):
    """Two scores of each voxel against each other, around the diagonal on which they agree; a panel for each pair.

    ``pairs`` holds them, (x, y), by the panel's title. Up to four ``marked`` voxels get their colours and letters.
    """
    figure, axes = plt.subplots(1, len(pairs), figsize=(8, 0.6 + 7.6 / max(len(pairs), 2)), squeeze=False)
    for ax, (title, (x, y)) in zip(axes.flat, pairs.items(), strict=True):
        ax.axhline(0, **GUIDE, linestyle=":")
        ax.scatter(x, y, s=8, alpha=0.3, linewidth=0, color="0.35")
        for (colour, letter), voxel in pair_up(MARKS, marked):
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

    ``groups`` holds both, (x, y), by the name of up to three groups: the first in grey, later ones on top in colours.
    """
    figure, ax = plt.subplots(figsize=(8, 5.6))
    for colour, (name, (x, y)) in pair_up((style.FRAME, style.BLUE, style.VERMILION), groups.items()):
        if len(x):
            ax.scatter(x, y, s=9, color=colour, alpha=0.4, linewidth=0, label=f"{name} ({len(x)})")
    draw_diagonal(ax)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    return settle(figure, legend=3, markerscale=3)


def plot_repeats(stimuli, courses, n_on, lag):
    """Stimuli, and below each of them the responses of a voxel to its repeats, shape (n_repeats, n_volumes).

    They begin ``lag`` volumes after the stimulus's onset, and are NaN where a run ends too early. Each stimulus is on
    the screen for ``n_on`` volumes; these are shaded.
    """
    figure, axes = plt.subplots(2, len(stimuli), figsize=(8, 4.6), height_ratios=(2, 3), sharey="row", squeeze=False)
    for (above, below), stimulus, course, on in zip(axes.T, stimuli, courses, n_on, strict=True):
        style.draw_screen(above, stimulus, "black", vmin=np.min(stimuli), vmax=np.max(stimuli))
        volumes = lag + np.arange(course.shape[1])
        below.axvspan(-0.5, on - 0.5, color="0.9", linewidth=0)
        below.plot(volumes, course.T, color=style.BLUE, linewidth=0.8, alpha=0.5)
        below.plot(volumes, np.nanmean(course, axis=0), color="0.15", linewidth=2.5)
        below.set_xlim(-0.5, volumes[-1] + 0.5)
        below.set_title(f"{len(course)} repeats", fontsize=11)
    figure.supxlabel("volumes since the stimulus's onset", fontsize=11)
    axes[1, 0].set_ylabel("response (SD)")
    return settle(figure)


def plot_partition(table, total):
    """What each feature space, a row of the table, explains by up to six measures, its columns, as bars.

    A dashed line stands for all spaces together.
    """
    figure, ax = plt.subplots()
    places, width = np.arange(len(table)), 0.8 / table.shape[1]
    for number, (colour, name) in enumerate(pair_up(LINE_COLOURS, table.columns)):
        ax.bar(places + width * (number + 0.5) - 0.4, table[name], width, color=colour, label=name)
    ax.axhline(total, **GUIDE, linestyle="--", label="all spaces")
    ax.axhline(0, **GUIDE)
    ax.set_xticks(places, table.index)
    ax.set_ylabel("R² on held-out runs, mean over voxels")
    return settle(figure, legend=4)


def plot_field_pairs(fields, titles, marked_pixel=None):
    """Fields of the same voxels from several fits: a fit a row, or, of more fits than voxels, a voxel a row.

    ``fields`` holds arrays of shape (n_voxels, n_rows, n_columns) by the name of the fit; the voxels have ``titles``.
    The marked pixel, (row, column), is framed.
    """
    limit = max(np.abs(weights).max() for weights in fields.values()) or 1
    above, beside, panels = titles, list(fields), list(fields.values())
    if len(fields) > len(titles):
        above, beside, panels = beside, above, list(zip(*panels, strict=True))
    shape = len(beside), len(above)
    figure, axes = plt.subplots(*shape, figsize=(8, 0.6 + min(1.75, 7 / shape[1]) * shape[0]), squeeze=False)
    for ax, title in zip(axes[0], above, strict=True):
        ax.set_title(title)
    for row, name, drawn_in in zip(axes, beside, panels, strict=True):
        row[0].set_ylabel(name)
        for ax, field in zip(row, drawn_in, strict=True):
            drawn = style.draw_screen(ax, field, cmap=style.FIELD_COLOURS, vmin=-limit, vmax=limit)
            if marked_pixel is not None:
                corner = marked_pixel[1] - 0.5, marked_pixel[0] - 0.5
                ax.add_patch(Rectangle(corner, 1, 1, facecolor="none", edgecolor=style.INK, linewidth=1.5))
    figure.colorbar(drawn, ax=axes, label="SD per unit of pixel", shrink=0.8)
    return settle(figure)


def plot_lags(lags, curves, label, truth=None):
    """Curves over lag, such as scores, or how the response of a voxel rises and falls; dashed, the true ones.

    ``curves`` holds up to six by name; ``truth`` has shape (n_lags, n_curves).
    """
    figure, ax = plt.subplots()
    for number, (colour, (name, curve)) in enumerate(pair_up(LINE_COLOURS, curves.items())):
        ax.plot(lags, curve, "o-", color=colour, markersize=4, label=name)
        if truth is not None:
            ax.plot(lags, truth[:, number], color=colour, linestyle="--", label=f"{name}, true")
    ax.axhline(0, **GUIDE, linestyle=":")
    ax.set(xlabel="lag (volumes)", ylabel=label, xticks=list(lags))
    return settle(figure, legend=6)
