"""Stimuli, time courses, histograms, and measures of regions."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch, StepPatch

from .style import (
    BLUE,
    FIELD_COLOURS,
    FRAME,
    GUIDE,
    INK,
    LINE_COLOURS,
    MARK_COLOURS,
    VERMILION,
    draw_legend,
    draw_screen,
    pair_up,
    settle,
)


def plot_stimuli(stimuli, titles):
    """Stimuli as they were on the screen, side by side.

    Parameters
    ----------
    stimuli : sequence of ndarray, shape (n_rows, n_columns)
        Of any shapes. The smallest value of all is black, the largest white.
    titles : sequence of str
    """
    figure, axes = plt.subplots(1, len(stimuli), squeeze=False)
    for ax, stimulus, title in zip(axes.flat, stimuli, titles, strict=True):
        draw_screen(ax, stimulus, "black", True, vmin=min(map(np.min, stimuli)), vmax=max(map(np.max, stimuli)))
        ax.set(title=title, xlabel="column", ylabel="row")
    return settle(figure)


def plot_designs(designs):
    """Design matrices of the same volumes, one below the other: time runs to the right, each line is a feature.

    Parameters
    ----------
    designs : dict of str -> ndarray, shape (n_volumes, n_features)
        By the title of the panel. Each goes from black, its smallest value, to white.
    """
    heights = [1 if design.shape[1] > 1 else 0.25 for design in designs.values()]
    figure, axes = plt.subplots(
        len(designs), 1, figsize=(8, 0.7 + 0.4 * len(designs) + sum(heights)), height_ratios=heights, sharex=True
    )
    for ax, (title, design) in zip(np.ravel(axes), designs.items(), strict=True):
        edges = 0.5, len(design) + 0.5, design.shape[1] - 0.5, -0.5
        draw_screen(ax, design.T, ticks=True, aspect="auto", extent=edges)
        ax.set_title(title, loc="left", fontsize=11)
        ax.set(yticks=[], xlabel="volume")
        ax.label_outer()
    return settle(figure)


def plot_time_course(response, shown, prediction=None):
    """Response of a voxel over one run.

    Parameters
    ----------
    response : ndarray, shape (n_volumes,)
    shown : ndarray of bool, shape (n_volumes,)
        Whether a stimulus was on the screen; these volumes are shaded.
    prediction : ndarray, shape (n_volumes,), optional
    """
    figure, ax = plt.subplots(figsize=(8, 3.2))
    draw_course(ax, response, shown)
    if prediction is not None:
        ax.plot(np.arange(1, len(response) + 1), prediction, color=VERMILION, label="predicted")
    draw_legend(ax, 3)
    return settle(figure)


def draw_course(ax, response, shown):
    """Draw a response over the volumes, counted from 1, and shade those with a stimulus on the screen."""
    edges = np.arange(len(response) + 1) + 0.5
    # Not Axes.stairs, which would have the vertical axis begin at 0.
    ax.add_patch(StepPatch(shown, edges, label="stimulus on screen", color="0.88", transform=ax.get_xaxis_transform()))
    ax.plot(np.arange(1, len(response) + 1), response, color=INK, label="measured")
    ax.set(xlabel="volume", ylabel="response (SD)", xlim=(edges[0], edges[-1]))


def plot_repeats(stimuli, courses, n_on, lag):
    """Stimuli, and below each of them the responses of a voxel to its repeats.

    Parameters
    ----------
    stimuli : sequence of ndarray, shape (n_rows, n_columns)
        The smallest value of all is black, the largest white.
    courses : sequence of ndarray, shape (n_repeats, n_volumes)
        The responses to each stimulus, one row a repeat; NaN where a run ends too early.
    n_on : sequence of int
        How many volumes long each stimulus is on the screen; these are shaded.
    lag : int
        How many volumes after the stimulus's onset the responses begin.
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
    """How many voxels reach which score, in bins of 0.06 as in the published histogram.

    Parameters
    ----------
    scores : ndarray, shape (n_voxels,)
    """
    figure, ax = plt.subplots(figsize=(8, 3.6))
    edges = np.arange(np.floor(scores.min() / 0.06), np.ceil(scores.max() / 0.06) + 1) * 0.06
    ax.hist(scores, edges, color=BLUE, edgecolor="white", log=True)
    ax.axvline(0, **GUIDE, linestyle="--")
    ax.set(xlabel="R² on held-out runs, mean over folds", ylabel="voxels (log scale)")
    return settle(figure)


def plot_nested_folds(uses):
    """What each run is used for in one round of nested cross-validation, step by step.

    Parameters
    ----------
    uses : ndarray of int, shape (n_steps, n_runs)
        0 for runs that are fitted to, 1 for those that a penalty is chosen on, 2 for those that are not looked at and
        3 for those that are scored on.
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
    draw_legend(ax, 4, handles=[Patch(facecolor=colour, edgecolor=FRAME, label=use) for use, colour in colours.items()])
    return settle(figure)


def plot_alpha_search(alphas, curves, labels, mean_curve, choices, reference):
    """How well each penalty predicts, and which penalties were chosen.

    Parameters
    ----------
    alphas, mean_curve : ndarray, shape (n_alphas,)
        The penalties, rising, and the scores of many voxels, their mean.
    curves : ndarray, shape (n_alphas, n_marked)
        Scores of up to four voxels, drawn in the colours that mark them.
    labels : sequence of str
        Names of these voxels; further ones are left out.
    choices : ndarray
        The penalties that were chosen, of any shape.
    reference : float
        A penalty to compare with; a dashed line.
    """
    figure, (above, below) = plt.subplots(2, 1, figsize=(8, 6), sharex=True, height_ratios=(3, 2))
    above.plot(alphas, mean_curve, color=INK, linewidth=2.5, label="mean")
    for (colour, curve), label in zip(pair_up(MARK_COLOURS, curves.T, "curves"), labels, strict=False):
        above.plot(alphas, curve, color=colour, label=label)
        above.plot(alphas[curve.argmax()], curve.max(), "o", color=colour)
    above.plot(alphas[mean_curve.argmax()], mean_curve.max(), "o", color=INK)
    above.set(xscale="log", ylabel="R² on inner folds")
    draw_legend(above, 5)

    # Bars from halfway below each penalty to halfway above it.
    step = (alphas[-1] / alphas[0]) ** (0.5 / max(len(alphas) - 1, 1))
    counts = [(choices == alpha).sum() for alpha in alphas]
    below.stairs(counts, np.append(alphas / step, alphas[-1] * step), fill=True, color=BLUE)
    below.set(xlabel="penalty α", ylabel="choices")
    for ax in (above, below):
        ax.axvline(reference, **GUIDE, linestyle="--")
    return settle(figure)


def plot_regions(groups, measures):
    """Dots for each region, one panel a measure.

    Parameters
    ----------
    groups : dict of str -> DataFrame
        By the name of the group, one row a region with a column for each measure; NaN is not drawn. Up to six groups,
        whose regions of the same name share a place.
    measures : sequence of str
    """
    names = list(dict.fromkeys(name for group in groups.values() for name in group.index))
    place = {name: number for number, name in enumerate(names)}
    figure, axes = plt.subplots(len(measures), 1, figsize=(8, 1.8 * len(measures) + 1.2), sharex=True, squeeze=False)
    for ax, measure in zip(axes.flat, measures, strict=True):
        for colour, (name, group) in pair_up(LINE_COLOURS, groups.items(), "groups"):
            x = np.array([place[region] for region in group.index])
            ax.plot(x, group[measure], "o", color=colour, alpha=0.8, label=name)
        ax.set_ylabel(measure.replace(" than ", " than\n"))
        ax.grid(axis="x", color="0.9")
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))
    axes[-1, 0].set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    draw_legend(axes[0, 0], 2)
    return settle(figure)


def plot_differences(differences, label):
    """A square for each pair of regions, coloured by how much they differ; empty where there is no number.

    Parameters
    ----------
    differences : DataFrame, one row and one column a region
        The row less the column; NaN is left empty.
    label : str
        What the numbers are.
    """
    figure, ax = plt.subplots(figsize=(8, 5), layout="compressed")
    most = np.nanmax(np.abs(differences.to_numpy()), initial=0) or 1
    drawn = draw_screen(ax, differences, ticks=True, cmap=FIELD_COLOURS, vmin=-most, vmax=most)
    places = range(len(differences))
    ax.set_xticks(places, differences.columns)
    ax.set_yticks(places, differences.index)
    figure.colorbar(drawn, ax=ax, label=label)
    return settle(figure)


def plot_learning_curves(measures, label, limits=None):
    """Measures over the number of runs that models were fitted to.

    Parameters
    ----------
    measures : dict of str -> (ndarray, ndarray)
        By the name of the measure: the numbers of runs, and for each of them the values of one or several draws, shape
        (n_sizes, n_draws). A line joins the means, dots are the draws. Up to six.
    label : str
        Of the vertical axis.
    limits : dict of str -> float, optional
        What a perfect model would reach, by the name of the measure; dashed lines.
    """
    figure, ax = plt.subplots()
    for colour, (name, (n_runs, values)) in pair_up(LINE_COLOURS, measures.items(), "measures"):
        ax.plot(n_runs, np.mean(values, axis=1), color=colour, label=name)
        ax.plot(n_runs, values, "o", color=colour, markersize=4, alpha=0.6)
        if name in (limits or {}):
            ax.axhline(limits[name], color=colour, linestyle="--", linewidth=1)
    ax.set_xscale("log", base=2)
    ticks = np.unique(np.concatenate([n_runs for n_runs, _ in measures.values()]))
    ax.set_xticks(ticks, [str(n) for n in ticks])
    ax.minorticks_off()
    ax.set(xlabel="runs (log scale)", ylabel=label, ylim=(min(0, ax.get_ylim()[0]), None))
    draw_legend(ax, 3)
    return settle(figure)
