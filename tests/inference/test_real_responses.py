"""Real responses of visual cortex, where they are at hand; they are not part of this repository."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import voxelwise as vw
from tests.models.test_receptive_fields import assert_solve_the_lasso, scaled_pixels

DATA = Path(os.environ.get("VOXELWISE_REAL_DATA", ""))


def load(name, **how):
    if not (DATA / name / "func").is_dir():
        pytest.skip(f"set VOXELWISE_REAL_DATA to a folder that holds {name} (func/, label/, mask/)")
    return vw.load_samples(vw.load_recording(DATA / name, **how), lag=0)


@pytest.fixture(scope="module")
def samples():
    """V1's responses to 120 trials of shapes and letters, 12 runs, one response a trial."""
    return load("miyawaki_v1_figures")


def test_fields_of_all_voxels_solve_the_lasso(samples):
    """Ten stimuli repeat, so pixels are copies and mixtures of each other: no error, no huge weights that cancel."""
    fields = vw.fit_receptive_fields(samples, max_iter=50)
    assert np.abs(fields.reshape(len(fields), -1) * scaled_pixels(samples)[1]).max() < 2
    assert_solve_the_lasso(samples, fields, slice(0, None, 10))


def test_the_stimulus_of_a_trial_is_told_from_the_others_of_its_run(samples):
    """One of five shapes or letters; the run, its trials and its letters' style are held out, voxels are chosen."""
    right = []
    for run in range(0, 12, 2):
        train, test = samples.take(rows=samples.runs != run), samples.take(rows=samples.runs == run)
        model = vw.fit_patterns(train, vw.best_voxels(train, 200), cv=4)
        right.append(vw.identify(test, model).ranks == 1)
    assert np.mean(right) > 0.85


def test_the_ceiling_of_trials_by_name_is_above_what_models_reach(samples):
    """But for luck. Some stimuli follow themselves: by names, not by equal rows, they are trials of their own."""
    assert vw.find_repeats(vw.load_recording(DATA / "miyawaki_v1_figures")) == "random", "its only kind of runs"
    assert vw.find_trials(samples)["volume"].max() == 1
    ceiling = vw.noise_ceiling(samples, stimuli=map(bytes, samples.stimuli))
    scores = vw.cross_validate_ridge(samples, 10, 6).mean(axis=0)
    assert ceiling.repeated.all() and (ceiling.r2 > 0.3).sum() > 300
    assert (scores < ceiling.r2 + 2 * ceiling.error).mean() > 0.98
    assert np.corrcoef(scores, ceiling.r2)[0, 1] > 0.9


def test_fields_are_those_that_were_published():
    """Moving bars; where the published field excites the voxel, and explains more than half of its variance."""
    fields = vw.fit_prf(vw.with_hrf(load("szinte_v1", stimulus_shape=(9, 16)), "glover", t_r=1.317))
    published = pd.read_csv(DATA / "szinte_v1" / "reference_prf.tsv", sep="\t")
    good = (published["r2"] > 0.5) & (published["amplitude"] > 0)
    off = []
    for found, true in ((fields["column"][good], published["x"][good]), (fields["row"][good], published["y"][good])):
        assert abs(np.corrcoef(found, true)[0, 1]) > 0.95
        off.append(np.polyval(np.polyfit(found, true, 1), found) - true)  # from pixels to degrees
    assert good.sum() > 250 and np.median(np.hypot(*off)) < 1
