"""Images, time courses and histograms."""

import matplotlib.pyplot as plt
import numpy as np

from .style import MARK_COLOURS


def plot_stimuli(images, titles):
    """Images as they were on the screen, side by side.

    Parameters
    ----------
    images : sequence of ndarray, shape (n_rows, n_columns)
        The smallest value of all is black, the largest white.
    titles : sequence of str

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(1, len(images), squeeze=False)
    for ax, image, title in zip(axes.flat, images, titles, strict=True):
        ax.imshow(image, vmin=np.min(images), vmax=np.max(images))
        ax.set(title=title, xlabel="column", ylabel="row")
        ax.spines[:].set_visible(True)
    return figure


def plot_time_course(response, shown, prediction=None):
    """Response of a voxel over one run.

    Parameters
    ----------
    response : ndarray, shape (n_volumes,)
    shown : ndarray of bool, shape (n_volumes,)
        Whether an image was on the screen; these volumes are shaded.
    prediction : ndarray, shape (n_volumes,), optional

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 3.2))
    volumes = np.arange(1, len(response) + 1)
    edges = np.arange(len(response) + 1) + 0.5
    shade = dict(fill=True, color="0.88", transform=ax.get_xaxis_transform())
    ax.stairs(shown, edges, label="image on screen", **shade)
    ax.plot(volumes, response, color="0.25", label="measured")
    if prediction is not None:
        ax.plot(volumes, prediction, color="C1", label="predicted")
    ax.set(xlabel="volume", ylabel="response (SD)", xlim=(edges[0], edges[-1]))
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return figure


def plot_score_histogram(scores, bin_width=0.06):
    """How many voxels reach which score.

    Parameters
    ----------
    scores : ndarray, shape (n_voxels,)
    bin_width : float
        The published histogram has bins of 0.06.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 3.6))
    first, last = np.floor(scores.min() / bin_width), np.ceil(scores.max() / bin_width)
    edges = np.arange(first, last + 1) * bin_width
    ax.hist(scores, edges, color="C0", edgecolor="white", log=True)
    ax.axvline(0, color="0.25", linewidth=1, linestyle="--")
    ax.set(xlabel="R² on held-out runs, mean over folds", ylabel="voxels (log scale)")
    return figure


def plot_alpha_search(alphas, curves, labels, mean_curve, choices, reference):
    """How well each penalty predicts, and which penalties were chosen.

    Parameters
    ----------
    alphas : ndarray, shape (n_alphas,)
        The penalties, rising.
    curves : ndarray, shape (n_alphas, n_marked)
        Scores of up to four voxels, drawn in the colours that mark them.
    labels : sequence of str
        Names of these voxels.
    mean_curve : ndarray, shape (n_alphas,)
        Scores of many voxels, their mean.
    choices : ndarray
        The penalties that were chosen, of any shape.
    reference : float
        A penalty to compare with; a dashed line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, height_ratios=(3, 2))
    above.plot(alphas, mean_curve, color="0.25", linewidth=2.5, label="mean")
    for curve, label, colour in zip(curves.T, labels, MARK_COLOURS, strict=False):
        above.plot(alphas, curve, color=colour, label=label)
        above.plot(alphas[curve.argmax()], curve.max(), "o", color=colour)
    above.plot(alphas[mean_curve.argmax()], mean_curve.max(), "o", color="0.25")
    above.set(xscale="log", ylabel="R² on inner folds")
    above.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=5)

    # Bars from halfway below each penalty to halfway above it.
    step = (alphas[-1] / alphas[0]) ** (0.5 / max(len(alphas) - 1, 1))
    counts = [(choices == alpha).sum() for alpha in alphas]
    below.stairs(counts, np.append(alphas / step, alphas[-1] * step), fill=True, color="C0")
    below.set(xlabel="penalty α", ylabel="choices")
    for ax in (above, below):
        ax.axvline(reference, color="0.25", linewidth=1, linestyle="--")
    return figure
