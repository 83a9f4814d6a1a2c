"""The same with scikit-learn, in loops: the published ones, or such as one would write."""

import joblib
import numpy as np
from sklearn.linear_model import LassoLarsCV, Ridge
from sklearn.metrics import r2_score
from sklearn.preprocessing import StandardScaler

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


def ridge_scores():
    """The published loop over ten folds."""
    samples = inputs.recorded()
    return lambda: published.score(samples.stimuli, samples.responses)


def alpha_search_one_fold():
    """Nested loops for the first of ten outer folds."""
    samples = inputs.recorded()
    train, test = inputs.splits(samples.runs, 10)[0]

    def run():
        x, y = samples.stimuli[train], samples.responses[train]
        curves = np.zeros((len(ALPHAS), y.shape[1]))
        for inner_train, inner_test in inputs.splits(samples.runs[train], 9):
            x_train, y_train, x_test, y_test = x[inner_train], y[inner_train], x[inner_test], y[inner_test]
            for curve, alpha in zip(curves, ALPHAS, strict=True):
                predicted = Ridge(alpha).fit(x_train, y_train).predict(x_test)
                curve += r2_score(y_test, predicted, multioutput="raw_values")
        model = Ridge(np.array(ALPHAS)[curves.argmax(axis=0)]).fit(x, y)
        return r2_score(samples.responses[test], model.predict(samples.stimuli[test]), multioutput="raw_values")

    return run


def sampled_fields(n_jobs=1):
    """``LassoLarsCV`` for every 36th voxel."""
    samples = inputs.recorded()
    pixels = StandardScaler().fit_transform(samples.stimuli.astype(np.float64))
    responses = samples.responses[:, inputs.EVERY_36TH].T.astype(np.float64)
    model = LassoLarsCV(max_iter=10, cv=inputs.splits(samples.runs, 5))
    parallel = joblib.Parallel(n_jobs=n_jobs)

    def run(responses=responses):
        return np.stack(parallel(joblib.delayed(_weights)(model, pixels, response) for response in responses))

    run(responses[:2])  # starts the worker processes, which a loop over all voxels does once and not 36 times
    return run


def _weights(model, pixels, response):
    return model.fit(pixels, response).coef_
