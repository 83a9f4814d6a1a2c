"""Distributions of scores, what chance looks like, and measures of regions and of numbers of runs."""

import matplotlib.pyplot as plt
import numpy as np

from .style import ABOVE, BLUE, FIELD_COLOURS, GREEN, GUIDE, LINE_COLOURS, VERMILION, draw_screen, pair_up, settle


def plot_score_histogram(scores):
    """How many voxels reach which score, in bins of 0.06 as in the published histogram."""
    figure, ax = plt.subplots(figsize=(8, 3.6))
    edges = np.arange(np.floor(scores.min() / 0.06), np.ceil(scores.max() / 0.06) + 1) * 0.06
    ax.hist(scores, edges, color=BLUE, edgecolor="white", log=True)
    ax.axvline(0, **GUIDE, linestyle="--")
    ax.set(xlabel="R² on held-out runs, mean over folds", ylabel="voxels (log scale)")
    return settle(figure)


def plot_chance(shifted, shuffled, score, largest, threshold):
    """Scores by chance, one a permutation: of one voxel, whose own is ``score``, and the ``largest`` of all voxels.

    Stimuli were ``shifted`` in each run, or volumes ``shuffled``. To be found, a score must exceed the ``threshold``.
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    edges = np.histogram_bin_edges(np.append(shifted, shuffled), bins=30)
    axes[0].hist(shifted, edges, color="0.75", edgecolor="white", label="stimuli shifted")
    axes[0].hist(shuffled, edges, color=BLUE, histtype="step", linewidth=1.6, label="volumes shuffled")
    axes[1].hist(largest, bins=20, color="0.75", edgecolor="white", label="stimuli shifted")
    axes[0].axvline(score, color=VERMILION, linewidth=2, label="its own score")
    axes[1].axvline(threshold, color=GREEN, linewidth=2, label="threshold")
    for ax, title in zip(axes, ("one voxel", "largest of all voxels"), strict=True):
        ax.axvline(0, **GUIDE, linestyle=":")
        ax.set_title(title, pad=48)
        ax.set_xlabel("R² on held-out runs")
        ax.locator_params(axis="x", nbins=5)
        ax.legend(**ABOVE, ncols=2)
    axes[0].set_ylabel("permutations")
    return settle(figure)


def plot_power(strength, found, rate):
    """How many voxels are found, by the ``strength`` of groups of them, the true share of their signal, rising.

    ``found`` holds the shares of each group that up to four rules find, by their names. Dotted, an error rate.
    """
    figure, ax = plt.subplots(figsize=(8, 3.8))
    lines = tuple(zip(LINE_COLOURS, ("o-", "s--", "^:", "v-."), strict=False))
    for (colour, line), (name, shares) in pair_up(lines, found.items()):
        ax.plot(strength, shares, line, color=colour, markersize=5, clip_on=False, label=name)
    ax.axhline(rate, **GUIDE, linestyle=":")
    ax.set_xscale("function", functions=(np.sqrt, np.square))  # room for the faint voxels
    xlabel = "true share of the signal in the variance (square root scale)"
    ax.set(xlim=(0, None), ylim=(0, 1), xlabel=xlabel, ylabel="share of the voxels found")
    return settle(figure, legend=4)


def plot_regions(groups, measures):
    """Dots for each region, one panel a measure; regions of the same name share a place.

    ``groups`` holds, by up to six names, a DataFrame of one row a region with a column for each measure.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group.index))
    figure, axes = plt.subplots(len(measures), 1, figsize=(8, 1.8 * len(measures) + 1.2), sharex=True, squeeze=False)
    for ax, measure in zip(axes.flat, measures, strict=True):
        for colour, (name, group) in pair_up(LINE_COLOURS, groups.items()):
            places = [names.index(region) for region in group.index]
            ax.plot(places, group[measure], "o", color=colour, alpha=0.8, label=name)
        ax.grid(axis="x", color="0.9")
        ax.set(ylabel=measure.replace(" than ", " than\n"), ylim=(min(0, ax.get_ylim()[0]), None))
    axes[-1, 0].set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    return settle(figure, legend=2)


def plot_differences(differences, label):
    """A square for each pair in a DataFrame, coloured by the row less the column; empty where there is no number."""
    figure, ax = plt.subplots(figsize=(8, 5), layout="compressed")
    most = np.nanmax(np.abs(differences.to_numpy()), initial=0) or 1
    drawn = draw_screen(ax, differences, ticks=True, cmap=FIELD_COLOURS, vmin=-most, vmax=most)
    ax.set_xticks(range(len(differences)), differences.columns)
    ax.set_yticks(range(len(differences)), differences.index)
    figure.colorbar(drawn, ax=ax, label=label)
    return settle(figure)


def plot_learning_curves(measures, label, limits=None):
    """Measures over the number of runs that models were fitted to: a dot a draw, and a line through their means.

    ``measures`` holds, by the name of up to six, the numbers of runs, and the values, shape (n_sizes, n_draws);
    ``limits``, by the same names, what a perfect model would reach, as dashed lines.
    """
    figure, ax = plt.subplots()
    for colour, (name, (n_runs, values)) in pair_up(LINE_COLOURS, measures.items()):
        ax.plot(n_runs, np.mean(values, axis=1), color=colour, label=name)
        ax.plot(n_runs, values, "o", color=colour, markersize=4, alpha=0.6)
        if name in (limits or {}):
            ax.axhline(limits[name], color=colour, linestyle="--", linewidth=1)
    ticks = np.unique(np.concatenate([n_runs for n_runs, _ in measures.values()]))
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(xlabel="runs (log scale)", ylabel=label, ylim=(min(0, ax.get_ylim()[0]), None))
    return settle(figure, legend=3)
