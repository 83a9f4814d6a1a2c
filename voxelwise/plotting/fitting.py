"""How runs are divided into those to fit to and those to score on, and how a penalty is chosen."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from .style import BLUE, FRAME, GUIDE, INK, MARK_COLOURS, VERMILION, pair_up, settle


def plot_folds(folds, runs):
    """Which runs each fold, (samples to fit to, samples to score on), holds out; ``runs`` is each sample's, rising."""
    figure, ax = plt.subplots(figsize=(8, 2.8))
    starts = np.flatnonzero(np.diff(runs, prepend=-1, append=runs[-1] + 1))
    spans = np.column_stack([starts[:-1], np.diff(starts)])
    for number, (train, test) in enumerate(folds, start=1):
        for colour, label, rows in ((INK, "held out to score on", test), ("0.85", "fitted to", train)):
            inside = spans[np.isin(spans[:, 0], rows)]
            ax.broken_barh(inside, (number - 0.4, 0.8), color=colour, edgecolor="white", label=label)
    ax.set(xlabel="run", ylabel="fold", xlim=(0, len(runs)), ylim=(len(folds) + 0.6, 0.4))
    ax.set_xticks(spans @ [1, 0.5], range(1, len(starts)))
    ax.set_yticks(range(1, len(folds) + 1))
    ax.tick_params(length=0)
    return settle(figure, legend=2, handles=ax.collections[:2])


def plot_nested_folds(uses):
    """What each run is used for in one round of nested cross-validation: ``uses``, shape (n_steps, n_runs).

    Runs of 0 are fitted to, of 1 a penalty is chosen on, of 2 not looked at, and of 3 scored on.
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
        for colour, (name, curve) in pair_up((INK, VERMILION), curves.items()):
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
    for (colour, curve), label in zip(pair_up(MARK_COLOURS, curves.T), labels, strict=False):
        above.plot(alphas, curve, color=colour, label=label)
        above.plot(alphas[curve.argmax()], curve.max(), "o", color=colour)
    above.plot(alphas[mean_curve.argmax()], mean_curve.max(), "o", color=INK)
    above.set(xscale="log", ylabel="R² on inner folds")
    # Bars from halfway below each penalty to halfway above it.
    step = (alphas[-1] / alphas[0]) ** (0.5 / max(len(alphas) - 1, 1))
    below.stairs(*np.histogram(choices, np.append(alphas / step, alphas[-1] * step)), fill=True, color=BLUE)
    below.set(xlabel="penalty α", ylabel="choices")
    for ax in (above, below):
        ax.axvline(reference, **GUIDE, linestyle="--")
    return settle(figure, legend=5)
