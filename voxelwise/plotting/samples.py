"""Stimuli and designs, and how responses are cleaned and paired with them."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import StepPatch

from .style import BLUE, FIELD_COLOURS, GUIDE, INK, VERMILION, draw_screen, settle


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
    """Designs, (n_volumes, n_features), by their titles: time runs to the right, from black, the smallest, to white."""
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


def plot_matrices(stimuli, responses):
    """Stimuli, shape (n_samples, n_pixels), and responses, shape (n_samples, n_voxels), side by side."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(8, 4.8), sharey=True)
    left.imshow(stimuli, aspect="auto")
    drawn = right.imshow(responses, aspect="auto", cmap=FIELD_COLOURS, vmin=-2, vmax=2)
    left.set(title="stimuli X", xlabel="pixel", ylabel="sample")
    right.set(title="responses Y", xlabel="voxel")
    figure.colorbar(drawn, ax=right, label="SD", extend="both")
    return settle(figure)


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
