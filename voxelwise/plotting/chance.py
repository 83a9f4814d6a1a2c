"""What chance looks like, and what is found beyond it."""

import matplotlib.pyplot as plt
import numpy as np

#: One line style and colour for each rule that is compared.
_LINES = (("C0", "o-"), ("C1", "s--"), ("C2", "^:"), ("C3", "v-."))


def plot_chance(null, score, largest, threshold):
    """Scores by chance: of one voxel, and the largest ones of all voxels.

    Parameters
    ----------
    null : ndarray, shape (n_permutations,)
        Scores of one voxel with reordered images.
    score : float
        Its score with the images as they were.
    largest : ndarray, shape (n_permutations,)
        The largest scores of all voxels with reordered images.
    threshold : float
        What a score must exceed among all voxels.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, axes = plt.subplots(1, 2, figsize=(8, 3.8), sharey=True)
    marks = (score, "C1", "its own score"), (threshold, "C2", "threshold")
    titles = "one voxel", "largest of all voxels"
    for ax, by_chance, (mark, colour, label), title in zip(axes, (null, largest), marks, titles, strict=True):
        ax.hist(by_chance, bins=20, color="0.75", edgecolor="white", label="images shifted")
        ax.axvline(mark, color=colour, linewidth=2, label=label)
        ax.axvline(0, color="0.25", linewidth=1, linestyle=":")
        ax.set(xlabel="R² on held-out runs")
        ax.set_title(title, pad=28)
        ax.locator_params(axis="x", nbins=5)
        ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    axes[0].set_ylabel("permutations")
    return figure


def plot_power(strength, found, rate):
    """How many voxels are found, by how much of their variance is signal.

    Parameters
    ----------
    strength : ndarray, shape (n_groups,)
        True share of the signal in the variance, for groups of voxels in rising order; the first may answer nothing.
    found : dict of str -> ndarray, shape (n_groups,)
        By the name of up to four rules, the share of each group's voxels that it finds.
    rate : float
        An error rate; a dotted line.

    Returns
    -------
    figure : matplotlib.figure.Figure
    """
    figure, ax = plt.subplots(figsize=(8, 3.8))
    for (name, shares), (colour, line) in zip(found.items(), _LINES, strict=False):
        ax.plot(strength, shares, line, color=colour, markersize=5, clip_on=False, label=name)
    ax.axhline(rate, color="0.25", linewidth=1, linestyle=":")
    ax.set_xscale("function", functions=(np.sqrt, np.square))  # room for the faint voxels
    ax.set(xlim=(0, None), ylim=(0, 1), ylabel="share of the voxels found")
    ax.set_xlabel("true share of the signal in the variance (square root scale)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=4)
    return figure
