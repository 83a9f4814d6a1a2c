"""Stimuli, histograms, and measures of regions and of numbers of runs."""

import matplotlib.pyplot as plt
import numpy as np

from .style import BLUE, FIELD_COLOURS, GUIDE, LINE_COLOURS, draw_screen, pair_up, settle


def plot_stimuli(stimuli, titles):
    """Stimuli of any shapes as they were on the screen, side by side: the smallest value of all is black."""
    rows, columns = np.transpose([np.shape(stimulus) for stimulus in stimuli])
    height = min(4, 0.9 + (8 / len(stimuli) - 0.65) * max(rows / columns))
    figure, axes = plt.subplots(1, len(stimuli), figsize=(8, height), squeeze=False)
    for ax, stimulus, title in zip(axes.flat, stimuli, titles, strict=True):
        draw_screen(ax, stimulus, "black", True, vmin=min(map(np.min, stimuli)), vmax=max(map(np.max, stimuli)))
        ax.set(title=title, xlabel="column", ylabel="row")
    return settle(figure)


def plot_designs(designs):
    """Design matrices, (n_volumes, n_features), by their titles: time runs to the right, each line is a feature.

    Each goes from black, its smallest value, to white.
    """
    heights = [1 if design.shape[1] > 1 else 0.25 for design in designs.values()]
    size = 8, 0.7 + 0.4 * len(designs) + sum(heights)
    figure, axes = plt.subplots(len(designs), 1, figsize=size, height_ratios=heights, sharex=True)
    for ax, (title, design) in zip(np.ravel(axes), designs.items(), strict=True):
        edges = 0.5, len(design) + 0.5, design.shape[1] - 0.5, -0.5
        draw_screen(ax, design.T, ticks=True, aspect="auto", extent=edges)
        ax.set_title(title, loc="left", fontsize=11)
        ax.set(yticks=[], xlabel="volume")
        ax.label_outer()
    return settle(figure)


def plot_repeats(stimuli, courses, n_on, lag):
    """Stimuli, and below each of them the responses of a voxel to its repeats, shape (n_repeats, n_volumes).

    They begin ``lag`` volumes after the stimulus's onset, and are NaN where a run ends too early. Each stimulus is on
    the screen for ``n_on`` volumes; these are shaded.
    """
    figure, axes = plt.subplots(2, len(stimuli), figsize=(8, 4.6), height_ratios=(2, 3), sharey="row", squeeze=False)
    for (above, below), stimulus, course, on in zip(axes.T, stimuli, courses, n_on, strict=True):
        draw_screen(above, stimulus, "black", vmin=np.min(stimuli), vmax=np.max(stimuli))
        volumes = lag + np.arange(course.shape[1])
        below.axvspan(-0.5, on - 0.5, color="0.9", linewidth=0)
        below.plot(volumes, course.T, color=BLUE, linewidth=0.8, alpha=0.5)
        below.plot(volumes, np.nanmean(course, axis=0), color="0.15", linewidth=2.5)
        below.set(xlim=(-0.5, volumes[-1] + 0.5))
        below.set_title(f"{len(course)} repeats", fontsize=11)
    figure.supxlabel("volumes since the stimulus's onset", fontsize=11)
    axes[1, 0].set_ylabel("response (SD)")
    return settle(figure)


def plot_score_histogram(scores):
    """How many voxels reach which score, in bins of 0.06 as in the published histogram."""
    figure, ax = plt.subplots(figsize=(8, 3.6))
    edges = np.arange(np.floor(scores.min() / 0.06), np.ceil(scores.max() / 0.06) + 1) * 0.06
    ax.hist(scores, edges, color=BLUE, edgecolor="white", log=True)
    ax.axvline(0, **GUIDE, linestyle="--")
    ax.set(xlabel="R² on held-out runs, mean over folds", ylabel="voxels (log scale)")
    return settle(figure)


def plot_regions(groups, measures):
    """Dots for each region, one panel a measure; regions of the same name share a place.

    ``groups`` holds, by the name of up to six groups, a DataFrame of one row a region with a column for each measure.
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group.index))
    figure, axes = plt.subplots(len(measures), 1, figsize=(8, 1.8 * len(measures) + 1.2), sharex=True, squeeze=False)
    for ax, measure in zip(axes.flat, measures, strict=True):
        for colour, (name, group) in pair_up(LINE_COLOURS, groups.items(), "groups"):
            places = [names.index(region) for region in group.index]
            ax.plot(places, group[measure], "o", color=colour, alpha=0.8, label=name)
        ax.set_ylabel(measure.replace(" than ", " than\n"))
        ax.grid(axis="x", color="0.9")
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
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
    for colour, (name, (n_runs, values)) in pair_up(LINE_COLOURS, measures.items(), "measures"):
        ax.plot(n_runs, np.mean(values, axis=1), color=colour, label=name)
        ax.plot(n_runs, values, "o", color=colour, markersize=4, alpha=0.6)
        if name in (limits or {}):
            ax.axhline(limits[name], color=colour, linestyle="--", linewidth=1)
    ax.set_xscale("log", base=2)
    ticks = np.unique(np.concatenate([n_runs for n_runs, _ in measures.values()]))
    ax.set_xticks(ticks, ticks)
    ax.minorticks_off()
    ax.set(xlabel="runs (log scale)", ylabel=label, ylim=(min(0, ax.get_ylim()[0]), None))
    return settle(figure, legend=3)
