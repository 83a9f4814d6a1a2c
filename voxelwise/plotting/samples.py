"""How stimuli and responses are cleaned, paired, and divided into those to fit to and those to score on."""

import matplotlib.pyplot as plt
import numpy as np

from .charts import draw_course
from .style import BLUE, FIELD_COLOURS, GUIDE, INK, VERMILION, draw_legend, pair_up, settle


def plot_cleaning(signal, response, shown):
    """A voxel over one run, as the scanner measured it and as it enters the models.

    Parameters
    ----------
    signal, response : ndarray, shape (n_volumes,)
        In the scanner's units, and in standard deviations.
    shown : ndarray of bool, shape (n_volumes,)
        Whether a stimulus was on the screen; these volumes are shaded.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.4), sharex=True)
    draw_course(above, signal, shown)
    draw_course(below, response, shown)
    above.set(xlabel="", ylabel="signal")
    draw_legend(above, 2)
    return settle(figure)


def plot_shifts(response, shown, correlations):
    """A voxel's response to what is on the screen, and how closely it follows the screen at each shift.

    Parameters
    ----------
    response, shown
        As in :func:`plot_time_course`.
    correlations : ndarray, shape (n_shifts,)
        At shifts of 0, 1, 2 and more volumes.
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=(3, 2))
    draw_course(left, response, shown)
    draw_legend(left, 2)
    right.axhline(0, **GUIDE, linestyle=":")
    right.plot(correlations, "o-", color=BLUE)
    right.plot(np.argmax(correlations), np.max(correlations), "o", color=VERMILION, markersize=10)
    right.set(xlabel="shift of the response (volumes)", ylabel="correlation", xticks=range(len(correlations)))
    return settle(figure)


def plot_matrices(stimuli, responses):
    """Stimuli and responses side by side, a row a sample.

    Parameters
    ----------
    stimuli : ndarray, shape (n_samples, n_pixels)
        The smallest value is black, the largest white.
    responses : ndarray, shape (n_samples, n_voxels)
    """
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4.8), sharey=True)
    left.imshow(stimuli, aspect="auto")
    drawn = right.imshow(responses, aspect="auto", cmap=FIELD_COLOURS, vmin=-2, vmax=2)
    left.set(title="stimuli X", xlabel="pixel", ylabel="sample")
    right.set(title="responses Y", xlabel="voxel")
    figure.colorbar(drawn, ax=right, label="SD", extend="both")
    return settle(figure)


def plot_folds(folds, runs):
    """Which runs each fold holds out.

    Parameters
    ----------
    folds : sequence of (ndarray, ndarray)
        The samples that are fitted to, and those that are scored on.
    runs : ndarray of int, shape (n_samples,)
        The run of each sample, rising.
    """
    figure, ax = plt.subplots(figsize=(8, 2.8))
    starts = np.flatnonzero(np.diff(runs, prepend=-1, append=runs[-1] + 1))
    for number, (train, test) in enumerate(folds, start=1):
        for colour, label, rows in ((INK, "held out to score on", test), ("0.85", "fitted to", train)):
            inside = np.isin(starts[:-1], rows)
            spans = list(zip(starts[:-1][inside], np.diff(starts)[inside], strict=True))
            first = label if number == 1 else "_"
            ax.broken_barh(spans, (number - 0.4, 0.8), color=colour, edgecolor="white", label=first)
    middles = (starts[:-1] + starts[1:]) / 2
    ax.set(xlabel="run", ylabel="fold", xlim=(0, len(runs)), ylim=(len(folds) + 0.6, 0.4))
    ax.set_xticks(middles, range(1, len(starts)))
    ax.set_yticks(range(1, len(folds) + 1))
    ax.tick_params(length=0)
    draw_legend(ax, 2)
    return settle(figure)


def plot_overfitting(alphas, panels, reference):
    """R² on the samples that models were fitted to, and on others, over the penalty.

    Parameters
    ----------
    alphas : ndarray, shape (n_alphas,)
    panels : dict of str -> dict of str -> ndarray, shape (n_alphas,)
        By the panel's title and by the name of the samples, scores; one or two curves a panel.
    reference : float
        A penalty to compare with; a dashed line.
    """
    figure, axes = plt.subplots(1, len(panels), figsize=(8, 3.6), sharex=True, squeeze=False)
    for ax, (title, curves) in zip(axes.flat, panels.items(), strict=True):
        for colour, (name, curve) in pair_up((INK, VERMILION), curves.items(), "curves"):
            ax.plot(alphas, curve, "o-", color=colour, markersize=4, label=name)
        ax.axhline(0, **GUIDE, linestyle=":")
        ax.axvline(reference, **GUIDE, linestyle="--")
        ax.set(title=title, xscale="log", xlabel="penalty α", ylabel="R²")
    figure.legend(*ax.get_legend_handles_labels(), loc="outside upper center", ncols=2)
    return settle(figure)
