"""How responses are cleaned, paired with stimuli, and divided into those to fit to and those to score on."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch, StepPatch

from .style import BLUE, FIELD_COLOURS, FRAME, GUIDE, INK, MARK_COLOURS, VERMILION, pair_up, settle


def plot_time_course(response, shown, prediction, label="predicted"):
    """Response of a voxel over one run, and what a model says of it; volumes with something ``shown`` are shaded."""
    figure, ax = plt.subplots(figsize=(8, 3.2))
    _draw_course(ax, response, shown)
    ax.plot(np.arange(1, len(response) + 1), prediction, color=VERMILION, label=label)
    return settle(figure, legend=3)


def plot_cleaning(signal, response, shown):
    """A voxel over one run, as the scanner measured it and, in standard deviations, as it enters the models."""
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 4.4), sharex=True)
    _draw_course(above, signal, shown)
    _draw_course(below, response, shown)
    above.set(xlabel="", ylabel="signal")
    return settle(figure, legend=2)


def plot_shifts(response, shown, correlations):
    """A voxel's response to what is on the screen, and how closely it follows it at shifts of 0, 1, ... volumes."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), width_ratios=(3, 2))
    _draw_course(left, response, shown)
    right.axhline(0, **GUIDE, linestyle=":")
    right.plot(correlations, "o-", color=BLUE)
    right.plot(np.argmax(correlations), np.max(correlations), "o", color=VERMILION, markersize=10)
    right.set(xlabel="shift of the response (volumes)", ylabel="correlation", xticks=range(len(correlations)))
    return settle(figure, legend=2)


def _draw_course(ax, response, shown):
    """Draw a response over the volumes, counted from 1, and shade those with a stimulus on the screen."""
    edges = np.arange(len(response) + 1) + 0.5
    # Not Axes.stairs, which would have the vertical axis begin at 0.
    ax.add_patch(StepPatch(shown, edges, label="stimulus on screen", color="0.88", transform=ax.get_xaxis_transform()))
    ax.plot(np.arange(1, len(response) + 1), response, color=INK, label="measured")
    ax.set(xlabel="volume", ylabel="response (SD)", xlim=(edges[0], edges[-1]))


def plot_matrices(stimuli, responses):
    """Stimuli, shape (n_samples, n_pixels), and responses, shape (n_samples, n_voxels), side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4.8), sharey=True)
    left.imshow(stimuli, aspect="auto")
    drawn = right.imshow(responses, aspect="auto", cmap=FIELD_COLOURS, vmin=-2, vmax=2)
    left.set(title="stimuli X", xlabel="pixel", ylabel="sample")
    right.set(title="responses Y", xlabel="voxel")
    figure.colorbar(drawn, ax=right, label="SD", extend="both")
    return settle(figure)


def plot_folds(folds, runs):
    """Which runs each fold, (samples to fit to, samples to score on), holds out; ``runs`` is each sample's, rising."""
    figure, ax = plt.subplots(figsize=(8, 2.8))
    starts = np.flatnonzero(np.diff(runs, prepend=-1, append=runs[-1] + 1))
    for number, (train, test) in enumerate(folds, start=1):
        for colour, label, rows in ((INK, "held out to score on", test), ("0.85", "fitted to", train)):
            inside = np.isin(starts[:-1], rows)
            spans, first = np.column_stack([starts[:-1], np.diff(starts)])[inside], label if number == 1 else "_"
            ax.broken_barh(spans, (number - 0.4, 0.8), color=colour, edgecolor="white", label=first)
    ax.set(xlabel="run", ylabel="fold", xlim=(0, len(runs)), ylim=(len(folds) + 0.6, 0.4))
    ax.set_xticks((starts[:-1] + starts[1:]) / 2, range(1, len(starts)))
    ax.set_yticks(range(1, len(folds) + 1))
    ax.tick_params(length=0)
    return settle(figure, legend=2)


def plot_nested_folds(uses):
    """What each run is used for in one round of nested cross-validation: ``uses``, shape (n_steps, n_runs).

    0 stands for runs that are fitted to, 1 for those that a penalty is chosen on, 2 for those that are not looked at
    and 3 for those that are scored on.
    """
    n_steps, n_runs = uses.shape
    figure, ax = plt.subplots(figsize=(8, 1.2 + 0.22 * n_steps))
    colours = {"fitted to": "0.82", "chosen on": BLUE, "not looked at": "white", "scored on": VERMILION}
    corners = np.arange(n_runs + 1) + 0.5, np.arange(n_steps + 1) + 0.5
    ax.pcolormesh(*corners, uses, cmap=ListedColormap(list(colours.values())), vmin=0, vmax=3, edgecolor=FRAME, lw=0.5)
    ax.set(xlabel="run", ylabel="step", xticks=range(1, n_runs + 1), yticks=range(1, n_steps + 1))
    ax.invert_yaxis()
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    patches = [Patch(facecolor=colour, edgecolor=FRAME, label=use) for use, colour in colours.items()]
    return settle(figure, legend=4, handles=patches)


def plot_overfitting(alphas, panels, reference):
    """R² on the samples that models were fitted to, and on others, over the penalty; dashed, one to compare with.

    ``panels`` holds, by the panel's title, one or two curves, each by the name of its samples.
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


def plot_alpha_search(alphas, curves, labels, mean_curve, choices, reference):
    """How well each penalty predicts, which ones were chosen, and, dashed, one to compare with.

    ``curves``, shape (n_alphas, n_marked), are scores of up to four voxels, drawn in the colours that mark them, and
    ``labels`` their names; ``mean_curve`` is that of many voxels, and ``choices`` the penalties that were chosen.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, height_ratios=(3, 2))
    above.plot(alphas, mean_curve, color=INK, linewidth=2.5, label="mean")
    for (colour, curve), label in zip(pair_up(MARK_COLOURS, curves.T, "curves"), labels, strict=False):
        above.plot(alphas, curve, color=colour, label=label)
        above.plot(alphas[curve.argmax()], curve.max(), "o", color=colour)
    above.plot(alphas[mean_curve.argmax()], mean_curve.max(), "o", color=INK)
    above.set(xscale="log", ylabel="R² on inner folds")

    # Bars from halfway below each penalty to halfway above it.
    step = (alphas[-1] / alphas[0]) ** (0.5 / max(len(alphas) - 1, 1))
    counts = [(choices == alpha).sum() for alpha in alphas]
    below.stairs(counts, np.append(alphas / step, alphas[-1] * step), fill=True, color=BLUE)
    below.set(xlabel="penalty α", ylabel="choices")
    for ax in (above, below):
        ax.axvline(reference, **GUIDE, linestyle="--")
    return settle(figure, legend=5)
