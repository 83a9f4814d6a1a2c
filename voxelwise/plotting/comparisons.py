"""One model beside another: scores, fields and time courses."""

import matplotlib.pyplot as plt
import numpy as np

from .style import MARK_COLOURS, MARK_LETTERS, draw_diagonal

#: One colour for each line, told apart by colour-blind readers (Okabe and Ito).
LINE_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#666666")


def plot_score_pairs(pairs, xlabel, ylabel, marked=()):
    """Two scores of each voxel against each other, around the diagonal on which they agree; a panel for each pair.

    Parameters
    ----------
    pairs : dict of str -> (ndarray, ndarray)
        By the title of the panel, the scores along x and along y, each of shape (n_voxels,).
    xlabel, ylabel : str
    marked : sequence of int
        Up to four voxels that get the colours and letters that mark them.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(1, len(pairs), figsize=(8, 4.4), squeeze=False)
    for ax, (title, (x, y)) in zip(axes.flat, pairs.items(), strict=True):
        ax.axhline(0, color="0.25", linewidth=1, linestyle=":")
        ax.scatter(x, y, s=8, alpha=0.3, linewidth=0, color="0.35")
        for voxel, letter, colour in zip(marked, MARK_LETTERS, MARK_COLOURS, strict=False):
            ax.plot(x[voxel], y[voxel], "o", color=colour, markeredgecolor="black", label=letter)
        draw_diagonal(ax)
        ax.set(title=title, xlabel=xlabel)
        ax.locator_params(nbins=7)
    axes[0, 0].set_ylabel(ylabel)
    if len(marked):
        axes[0, 0].legend(loc="upper left", handletextpad=0.1)
    return figure


def plot_field_pairs(fields, titles):
    """Fields of the same voxels from several fits, one fit a row and one voxel a column, negative weights too.

    Parameters
    ----------
    fields : dict of str -> ndarray, shape (n_voxels, n_rows, n_columns)
        By the name of the fit.
    titles : sequence of str
        Of the voxels.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(len(fields), len(titles), figsize=(8, 0.6 + 1.75 * len(fields)), squeeze=False)
    limit = max(np.abs(weights).max() for weights in fields.values()) or 1
    for row, (name, weights) in zip(axes, fields.items(), strict=True):
        for ax, field in zip(row, weights, strict=True):
            drawn = ax.imshow(field, cmap="RdBu_r", vmin=-limit, vmax=limit)
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color="0.6")
        row[0].set_ylabel(name)
    for ax, title in zip(axes[0], titles, strict=True):
        ax.set_title(title)
    figure.colorbar(drawn, ax=axes, label="SD per unit of pixel", shrink=0.8)
    return figure


def plot_lags(lags, curves, together):
    """Score over lag, and beside it the score of all lags together.

    Parameters
    ----------
    lags : sequence of int
    curves : dict of str -> ndarray, shape (n_lags,)
        By the name of the group of voxels, its score at each lag; up to six groups.
    together : dict of str -> float
        The score of the same groups with all lags in one model; a bar right of the lines.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots()
    last = max(lags)
    for colour, (name, curve) in zip(LINE_COLOURS, curves.items(), strict=False):
        ax.plot(lags, curve, "o-", color=colour, markersize=4, label=name)
        ax.hlines(together[name], last + 0.6, last + 1.4, color=colour, linewidth=3)
    ax.axhline(0, color="0.25", linewidth=1, linestyle=":")
    ax.axvline(last + 0.5, color="0.8", linewidth=1)
    ax.set(xlabel="lag (volumes)", ylabel="R² on held-out runs, mean over voxels", xlim=(min(lags) - 0.3, last + 1.5))
    ax.set_xticks([*lags, last + 1], [*map(str, lags), "all"])
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=6)
    return figure


def plot_time_courses(lags, courses, truth=None):
    """How the response of some voxels rises and falls after an image.

    Parameters
    ----------
    lags : sequence of int
    courses : ndarray, shape (n_lags, n_voxels)
        Of up to four voxels, drawn in the colours that mark them.
    truth : ndarray, shape (n_lags,), optional
        The true course.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots()
    for course, letter, colour in zip(courses.T, MARK_LETTERS, MARK_COLOURS, strict=False):
        ax.plot(lags, course, "o-", color=colour, label=letter)
    if truth is not None:
        ax.plot(lags, truth, color="0.25", linestyle="--", label="true response")
    ax.axhline(0, color="0.25", linewidth=1, linestyle=":")
    ax.set(xlabel="lag (volumes)", ylabel="weight (share of the largest)", xticks=list(lags))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5)
    return figure
