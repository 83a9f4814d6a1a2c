"""A small recording, and the plain loop over splits that scores are compared with."""

import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.metrics import r2_score

from voxelwise import Samples
from voxelwise.models.batches import one_thread


@pytest.fixture(scope="session")
def small_samples():
    """4 runs of different length, 16 pixels, 50 voxels that answer."""
    rng = np.random.default_rng(0)
    stimuli = rng.integers(0, 2, (120, 16)).astype(np.float32)
    stimuli[::5] = -1
    responses = stimuli @ rng.normal(size=(16, 50)) + rng.normal(size=(120, 50))
    return Samples(stimuli, responses.astype(np.float32), np.repeat(range(4), [30, 24, 36, 30]), (4, 4))


def with_voxels(samples, voxels):
    return dataclasses.replace(samples, responses=samples.responses[:, voxels])


@one_thread
def plain_loop(samples, model, cv):
    """Scores and predictions of a scikit-learn model, in float64."""
    x, y = samples.stimuli.astype(float), samples.responses.astype(float)
    scores, predictions = [], np.full(y.shape, np.nan)
    with warnings.catch_warnings(action="ignore"):  # of splitters that take no notice of groups
        splits = cv if isinstance(cv, list) else list(cv.split(x, groups=samples.runs))
    for train, test in splits:
        predictions[test] = model.fit(x[train], y[train]).predict(x[test])
        scores.append(r2_score(y[test], predictions[test], multioutput="raw_values"))
    return np.array(scores), predictions
