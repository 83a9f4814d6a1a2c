"""Which stimulus was it? The encoding model turned around: compare a pattern with those predicted for many stimuli."""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import hypergeom

from ..data.samples import check_whole
from ..models.batches import one_thread
from .patterns import as_held_out


@dataclass(frozen=True)
class Identification:
    """How well the patterns predicted for some candidates agree with each measured one.

    Attributes
    ----------
    candidates : ndarray, shape (n_candidates, n_pixels)
        The stimuli to choose from, all different.
    right : ndarray of int, shape (n_trials,)
        Which candidate was on the screen.
    correlations : ndarray, shape (n_trials, n_candidates)
        Pearson's r over voxels between measured and predicted pattern; 0 where one of them does not vary.
    """

    candidates: np.ndarray
    right: np.ndarray
    correlations: np.ndarray

    @property
    def n_candidates(self):
        """How many stimuli there are to choose from."""
        return len(self.candidates)

    @property
    def ranks(self):
        """Rank of the right stimulus of each trial, from 1, the best; a tie counts against it. Shape (n_trials,)."""
        of_right = np.take_along_axis(self.correlations, self.right[:, np.newaxis], axis=1)
        return (self.correlations >= of_right).sum(axis=1)

    def accuracy(self, n):
        """Share of trials whose stimulus is identified among ``n`` candidates, from 1 to all; chance is ``1 / n``.

        The right one wins if no stimulus that ranks before it is among ``n - 1`` others, drawn without replacement.
        That has a hypergeometric probability, which is averaged over the trials; nothing is drawn.
        """
        check_whole("n", n, 1, self.n_candidates, f"there are {self.n_candidates} candidates; ")
        return float(hypergeom.pmf(0, self.n_candidates - 1, self.ranks - 1, n - 1).mean())


@one_thread
def identify(trials, model, candidates=None):
    """Find the stimulus that each trial's pattern belongs to, as Kay et al. (2008, Nature 452, 352-355) did.

    The guess is the candidate whose predicted pattern correlates best with the measured one, both less the mean pattern
    of the training trials.

    Parameters
    ----------
    trials : Samples
        One row a trial, as :func:`~voxelwise.average_trials` makes them.
    model : PatternModel, or list of (rows, PatternModel)
        One for all trials, or for each fold, as of :func:`~voxelwise.fit_without_each_fold`, that has not seen them.
    candidates : ndarray, shape (n_stimuli, n_pixels), optional
        The stimuli to choose from, those of the trials among them; of equal ones, one is kept. Default: no others.

    Returns
    -------
    identification : Identification
    """
    candidates = np.unique(trials.stimuli if candidates is None else candidates, axis=0)
    right = cdist(trials.stimuli, candidates).argmin(axis=1)
    if not np.array_equal(candidates[right].astype(np.float32), trials.stimuli):
        raise ValueError("The stimulus of a trial is not among the candidates; expected all of them, and any others.")
    correlations = np.empty((len(right), len(candidates)))
    for rows, fitted in as_held_out(model, len(right)):
        measured = trials.responses[rows][:, fitted.voxels] - fitted.mean_pattern
        predicted = fitted.predict(candidates) - fitted.mean_pattern
        correlations[rows] = np.nan_to_num(1 - cdist(measured, predicted, "correlation"))
    return Identification(candidates, right, correlations)
