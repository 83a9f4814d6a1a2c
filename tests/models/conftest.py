"""A small recording, and the plain loop over splits that scores are compared with."""

import dataclasses

import numpy as np
import pytest
from sklearn.metrics import r2_score

from voxelwise import load_recording, load_samples


@pytest.fixture
def small_samples(small_folder):
    """4 runs of different length, 16 pixels, some 60 voxels that answer."""
    return load_samples(load_recording(small_folder), lag=0)


def with_voxels(samples, voxels):
    return dataclasses.replace(samples, responses=samples.responses[:, voxels])


def with_rows(samples, rows):
    return dataclasses.replace(samples, **{n: getattr(samples, n)[rows] for n in ("stimuli", "responses", "runs")})


def plain_loop(samples, model, splits):
    """Scores and predictions of a scikit-learn model, in float64."""
    x, y = samples.stimuli.astype(float), samples.responses.astype(float)
    scores, predictions = [], np.full(y.shape, np.nan)
    for train, test in splits:
        predictions[test] = model.fit(x[train], y[train]).predict(x[test])
        scores.append(r2_score(y[test], predictions[test], multioutput="raw_values"))
    return np.array(scores), predictions
