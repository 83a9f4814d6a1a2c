"""How good scores are, and how good they could be: repeats of an image, and one score against another."""

import matplotlib.pyplot as plt
import numpy as np

from .style import draw_diagonal

#: One colour for each group of voxels, told apart by colour-blind readers (Okabe and Ito).
PAIR_COLOURS = ("0.6", "#0072B2", "#D55E00")


def plot_repeats(images, courses, n_on, lag):
    """Images, and below each of them the responses of a voxel to its repeats.

    Parameters
    ----------
    images : sequence of ndarray, shape (n_rows, n_columns)
        The smallest value of all is black, the largest white.
    courses : sequence of ndarray, shape (n_repeats, n_volumes)
        The responses to each image, one row a repeat; NaN where a run ends too early.
    n_on : sequence of int
        How many volumes long each image is on the screen; these are shaded.
    lag : int
        How many volumes after the image's onset the responses begin.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(2, len(images), figsize=(8, 4.6), height_ratios=(2, 3), sharey="row", squeeze=False)
    low, high = np.min(images), np.max(images)
    for (above, below), image, course, on in zip(axes.T, images, courses, n_on, strict=True):
        above.imshow(image, vmin=low, vmax=high)
        above.set(xticks=[], yticks=[])
        above.spines[:].set_visible(True)
        volumes = lag + np.arange(course.shape[1])
        below.axvspan(-0.5, on - 0.5, color="0.9", linewidth=0)
        below.plot(volumes, course.T, color="C0", linewidth=0.8, alpha=0.5)
        below.plot(volumes, np.nanmean(course, axis=0), color="0.15", linewidth=2.5)
        below.set(xlim=(-0.5, volumes[-1] + 0.5))
        below.set_title(f"{len(course)} repeats", fontsize=11)
    figure.supxlabel("volumes since the image's onset", fontsize=11)
    axes[1, 0].set_ylabel("response (SD)")
    return figure


def plot_score_groups(groups, labels):
    """One measure of each voxel against another, around the line on which both are the same.

    Parameters
    ----------
    groups : dict of str -> (ndarray, ndarray)
        By the name of the group, both measures of its voxels: horizontal, vertical. Up to three groups, each in a colour
        of its own, later ones on top; empty ones are left out.
    labels : (str, str)
        What the two measures are.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 5.6))
    for colour, (name, (x, y)) in zip(PAIR_COLOURS, groups.items(), strict=False):
        if len(x):
            ax.scatter(x, y, s=9, color=colour, alpha=0.4, linewidth=0, label=f"{name} ({len(x)})")
    draw_diagonal(ax)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3, markerscale=3)
    return figure
