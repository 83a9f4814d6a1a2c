"""The calls of this book and of its peers, and what they are given: a function prepares one and returns it."""

import dataclasses
import functools
import importlib
import os
import tempfile

import himalaya.ridge
import joblib
import numpy as np
from sklearn.linear_model import LassoLarsCV, RidgeCV
from sklearn.preprocessing import StandardScaler

import voxelwise as vw
from tools.bench import published
from voxelwise.models.search import ALPHAS, search_alpha
from voxelwise.simulation.cortex import MARKED_VOXELS

#: For the workers of Dask; the page ``more_than_one_machine`` says why.
KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": "1000000000", "MALLOC_MMAP_THRESHOLD_": "33554432"}
_FOLDER = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)  # kept until this process ends


def recorded():
    """The simulated recording's random runs, as the chapters load them."""
    return vw.load_samples(vw.load_recording("simulated"))


def tiled(n_voxels):
    """As many voxels as asked for: the recording's, again and again, each with noise of its own."""
    samples = recorded()
    rng = np.random.default_rng(0)
    columns = np.resize(rng.permutation(samples.responses.shape[1]), n_voxels)
    responses = rng.standard_normal((len(samples.responses), n_voxels), dtype=np.float32)
    responses *= 0.5
    responses += samples.responses[:, columns]
    return dataclasses.replace(samples, responses=responses)


def splits(samples, n_splits=10):
    """Whole-run folds as pairs of rows, to train on and to test on."""
    return list(vw.RunKFold(n_splits).split(samples.runs, groups=samples.runs))


def one_fold(samples, n_splits=10):
    """The samples to train on and those to test on of the first fold, and as many inner folds as there are others."""
    train, test = map(samples.take, splits(samples, n_splits)[0])
    return train, test, splits(train, n_splits - 1)


def made_up(n_samples, n_voxels, n_features, mmap_mode=None):
    """Responses to many features: float32, in runs of 100 samples, from a file as ``np.load`` reads it."""
    path, rng = f"{_FOLDER.name}/responses.npy", np.random.default_rng(0)
    responses = np.lib.format.open_memmap(path, "w+", np.float32, (n_samples, n_voxels))
    features = rng.standard_normal((n_samples, n_features), dtype=np.float32)
    for start in range(0, n_voxels, 5_000):
        block = responses[:, start : start + 5_000]
        weights = rng.standard_normal((n_features, block.shape[1]), dtype=np.float32) / np.float32(n_features) ** 0.5
        block[:] = features @ weights + rng.standard_normal(block.shape, dtype=np.float32)
    responses.flush()
    del block, responses
    return vw.Samples.from_arrays(features, np.load(path, mmap_mode), np.arange(n_samples) // 100)


wide = functools.partial(made_up, 2_000, 20_000, 400)
filed = functools.partial(made_up, 8_000, 60_000, 1_000, "r")


def banded():
    """Three feature spaces and every 36th voxel: what to train on and to test on, and four inner folds."""
    samples = recorded()
    on_off, pixels = ~vw.is_rest(samples.stimuli), vw.recode(samples, "rest black").stimuli
    spaces = {"on/off": on_off, "pixels": pixels, "contrast": vw.local_contrast(samples, [(2, 2)])}
    return one_fold(vw.stack_features(samples.take(voxels=range(18, samples.responses.shape[1], 36)), spaces), 5)


def _search_once(samples, n_jobs=None):
    return vw.VoxelwiseRidgeCV(cv=10, n_jobs=n_jobs).fit(samples.stimuli, samples.responses, samples.runs).best_alphas_


BOOK = {
    "Ridge scores": vw.cross_validate_ridge,
    "Alpha search": search_alpha,
    "Plain search": _search_once,
    "All fields": vw.fit_receptive_fields,
}


def book(what, make_samples=recorded, n_jobs=None):
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


def sklearn_scores(make_samples=recorded):
    """The published loop over ten folds."""
    samples = make_samples()
    return lambda: published.score(samples.stimuli, samples.responses)


def himalaya_search_one_fold(make_samples=recorded):
    """``RidgeCV`` over the other nine folds, for the first of ten outer folds."""
    train, test, inner = one_fold(make_samples())
    model = himalaya.ridge.RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=inner)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)


def sklearn_search_once(make_samples):
    """``RidgeCV`` with a penalty for each voxel, by leaving out one sample at a time, its only way."""
    samples = make_samples()
    return functools.partial(RidgeCV(alphas=ALPHAS, alpha_per_target=True).fit, samples.stimuli, samples.responses)


def himalaya_search_once(make_samples):
    """``RidgeCV`` over all ten folds, without an outer loop."""
    samples = make_samples()
    model = himalaya.ridge.RidgeCV(alphas=ALPHAS, fit_intercept=True, cv=splits(samples))
    return functools.partial(model.fit, samples.stimuli, samples.responses)


def sklearn_fields():
    """``LassoLarsCV`` for every 36th voxel, from all over the mask: all take too long."""
    samples = recorded()
    pixels = StandardScaler().fit_transform(samples.stimuli.astype(np.float64))
    responses = samples.responses[:, 18::36].T.astype(np.float64)
    model = LassoLarsCV(max_iter=10, cv=splits(samples, 5))
    return lambda: np.stack([model.fit(pixels, response).coef_ for response in responses])


def book_banded():
    """``BandedRidgeCV``, for the first of five outer folds."""
    train, test, inner = banded()
    model = vw.BandedRidgeCV(train.features, cv=inner)
    fit = functools.partial(model.fit, train.stimuli, train.responses, runs=train.runs)
    return lambda: fit().score(test.stimuli, test.responses, multioutput="raw_values")


def himalaya_banded():
    """``GroupRidgeCV`` with its own number of random scalings, 100, for the first of five outer folds."""
    train, test, inner = banded()
    labels = np.repeat(range(len(train.features)), [len(columns) for columns in train.features.values()])
    params = dict(alphas=np.array(ALPHAS), progress_bar=False)
    model = himalaya.ridge.GroupRidgeCV(labels, solver_params=params, fit_intercept=True, cv=inner, random_state=0)
    return lambda: model.fit(train.stimuli, train.responses).score(test.stimuli, test.responses)
