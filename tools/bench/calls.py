"""The measured calls, of this book and of its peers: each function prepares one and returns it, ready to be timed."""

import functools
import importlib
import os

import himalaya.ridge
import joblib
import numpy as np
from sklearn.linear_model import LassoLarsCV, RidgeCV
from sklearn.preprocessing import StandardScaler

import voxelwise as vw
from tools.bench import inputs, published
from voxelwise.models.search import ALPHAS, search_alpha
from voxelwise.simulation.cortex import MARKED_VOXELS

#: For the workers of Dask; the page ``more_than_one_machine`` says why.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "33554432"}


def _search_once(samples, n_jobs=None):
    return vw.VoxelwiseRidgeCV(cv=10, n_jobs=n_jobs).fit(samples.stimuli, samples.responses, samples.runs).best_alphas_


BOOK = {
    "Ridge scores": vw.cross_validate_ridge,
    "Alpha search": search_alpha,
    "Plain search": _search_once,
    "All fields": vw.fit_receptive_fields,
}


def book(what, make_samples=inputs.recorded, n_jobs=None):
    """A call of this book."""
    return functools.partial(BOOK[what], make_samples(), n_jobs=n_jobs)


def on_dask(what, make_samples):
    """The same on a cluster of two workers on this machine that have imported the package."""
    from dask.distributed import Client, LocalCluster

    here = book(what, make_samples)
    os.environ.update(KEEP_MEMORY)
    client = Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0"))
    client.run(importlib.import_module, "voxelwise")

    def run():
        with joblib.parallel_config(backend="dask", client=client):
            return here()

    return run


def product(dtype, size=6_000):
    """A product of two large matrices: what the machine can do."""
    matrix = np.random.default_rng(0).standard_normal((size, size), dtype=dtype)
    return lambda: matrix @ matrix


def book_pipeline():
    """From files to scores of all voxels and four receptive fields."""
    recording = vw.load_recording("simulated")

    def run():
        samples = vw.load_samples(recording)
        vw.cross_validate_ridge(samples).mean(axis=0)
        return vw.fit_receptive_fields(samples, [vw.voxel_at(samples.mask_img, position) for position in MARKED_VOXELS])

    return run


def published_pipeline():
    """The same, as it was published."""
    data_dir = vw.load_recording("simulated").folder.parent

    def run():
        stimuli, responses = published.load(data_dir)
        published.score(stimuli, responses).mean(axis=0)
        return published.fields(stimuli, responses)

    return run


def sklearn_scores(make_samples=inputs.recorded):
    """The published loop over ten folds."""
    samples = make_samples()
    return lambda: published.score(samples.stimuli, samples.responses)


def himalaya_search_one_fold(make_samples=inputs.recorded):
    """``RidgeCV`` over the other nine folds, for the first of ten outer folds."""
    train, test, inner = inputs.one_fold(make_samples())
    model = himalaya.ridge.RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inner)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)


def sklearn_search_once(make_samples):
    """``RidgeCV`` with a penalty for each voxel, by leaving out one sample at a time, its only way."""
    samples = make_samples()
    return functools.partial(RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit, samples.stimuli, samples.responses)


def himalaya_search_once(make_samples):
    """``RidgeCV`` over all ten folds, without an outer loop."""
    samples = make_samples()
    model = himalaya.ridge.RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inputs.splits(samples))
    return functools.partial(model.fit, samples.stimuli, samples.responses)


def sklearn_fields():
    """``LassoLarsCV`` for every 36th voxel, from all over the mask: all take too long."""
    samples = inputs.recorded()
    pixels = StandardScaler().fit_transform(samples.stimuli.astype(np.float64))
    responses = samples.responses[:, 18::36].T.astype(np.float64)
    model = LassoLarsCV(max_iter=10, cv=inputs.splits(samples, 5))
    return lambda: np.stack([model.fit(pixels, response).coef_ for response in responses])


def book_banded():
    """``BandedRidgeCV``, for the first of five outer folds."""
    train, test, inner = inputs.banded()
    model = vw.BandedRidgeCV(train.features, cv=inner)
    fit = functools.partial(model.fit, train.stimuli, train.responses, runs=train.runs)
    return lambda: fit().score(test.stimuli, test.responses, multioutput="raw_values")


def himalaya_banded():
    """``GroupRidgeCV`` with its own number of random scalings, 100, for the first of five outer folds."""
    train, test, inner = inputs.banded()
    labels = np.repeat(range(len(train.features)), [len(columns) for columns in train.features.values()])
    params = dict(alphas=np.array(ALPHAS), progress_bar=False)
    model = himalaya.ridge.GroupRidgeCV(labels, solver_params=params, fit_intercept=True, cv=inner, random_state=0)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)
