"""The same with scikit-learn, in loops: the published ones, or such as one would write."""

import joblib
import numpy as np
from sklearn.linear_model import LassoLarsCV, Ridge, RidgeCV
from sklearn.metrics import r2_score

from voxelwise.models.search import ALPHAS
from voxelwise.simulation.writing import simulated_recording

from . import inputs, published


def pipeline():
    """The published analysis, from files to scores of all voxels and four receptive fields."""
    data_dir = simulated_recording().parent

    def run():
        stimuli, responses = published.load(data_dir)
        published.score(stimuli, responses).mean(axis=0)
        return published.fields(stimuli, responses)

    return run


def ridge_scores(made="recorded"):
    """The published loop over ten folds."""
    samples = getattr(inputs, made)()
    return lambda: published.score(samples.stimuli, samples.responses)


def wide_search_once():
    """``RidgeCV`` with a penalty for each voxel, by leaving out one sample at a time, its only way."""
    samples = inputs.wide()
    model = RidgeCV(alphas=ALPHAS, alpha_per_target=True)
    return lambda: model.fit(samples.stimuli, samples.responses).alpha_


def alpha_search_one_fold():
    """Nested loops for the first of ten outer folds."""
    train, test, inner = inputs.one_fold(inputs.recorded())

    def run():
        curves = np.zeros((len(ALPHAS), train.responses.shape[1]))
        for fold in inner:
            halves = list(map(train.take, fold))
            for curve, alpha in zip(curves, ALPHAS, strict=True):
                curve += _score(Ridge(alpha), *halves)
        return _score(Ridge(np.array(ALPHAS)[curves.argmax(axis=0)]), train, test)

    return run


def sampled_fields(n_jobs=1):
    """``LassoLarsCV`` for every 36th voxel."""
    pixels, responses, splits = inputs.sampled()
    responses = responses.T.astype(np.float64)
    model = LassoLarsCV(max_iter=10, cv=splits)
    parallel = joblib.Parallel(n_jobs=n_jobs)

    def run(responses=responses):
        return np.stack(parallel(joblib.delayed(_weights)(model, pixels, response) for response in responses))

    run(responses[:2])  # starts the worker processes, which a loop over all voxels does once and not 36 times
    return run


def _score(model, train, test):
    predicted = model.fit(train.stimuli, train.responses).predict(test.stimuli)
    return r2_score(test.responses, predicted, multioutput="raw_values")


def _weights(model, pixels, response):
    return model.fit(pixels, response).coef_
