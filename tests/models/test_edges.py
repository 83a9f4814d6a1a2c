"""At the edges: what has no answer is refused or left unknown, in words, and what is odd is taken as it is meant."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

import voxelwise as vw

RNG = np.random.default_rng(0)
X, Y, RUNS = RNG.normal(size=(60, 4)), RNG.normal(size=(60, 5)), np.repeat(range(6), 10)
SAMPLES = vw.Samples.from_arrays(np.rint(X), Y, RUNS, stimulus_shape=(2, 2))


def test_a_mean_of_repeats_has_a_ceiling_of_at_most_1():
    r2 = np.array([-0.9, -0.2, -0.05, 0, 0.05, 0.9])
    of_mean = vw.NoiseCeiling(r2, r2, r2, r2, r2).of_mean(20)
    assert (np.diff(of_mean) > 0).all() and abs(of_mean).max() <= 1
    one = vw.Samples.from_arrays(np.ones((60, 1)), Y, RUNS)
    assert np.isnan(vw.noise_ceiling(one).error).all()


def test_decoders_take_zeros_of_either_sign_and_what_no_voxel_or_pixel_tells():
    model = vw.fit_patterns(SAMPLES, range(5), 1.0)
    negative = dataclasses.replace(SAMPLES, stimuli=-SAMPLES.stimuli)
    assert vw.identify(negative, model, -SAMPLES.stimuli + 0).right.min() >= 0
    fields = pd.DataFrame(dict(row=[0.5] * 4 + [np.nan], column=0.5, size=1.0))
    assert not vw.fit_patterns(SAMPLES, range(5), fields=fields).weights[:, 4].any()
    dull = SAMPLES.stimuli * [0, 1, 1, 1] + [0.5, 0, 0, 0]
    assert np.isfinite(vw.decode_patches(*[dataclasses.replace(SAMPLES, stimuli=dull)] * 2)).all()


def test_orders_runs_and_maps_that_mean_something_else_are_refused(small_samples):
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match="reorder"):
        vw.permutation_test(SAMPLES, 1.0, 3, 3, rng=rng, reorder=lambda runs, rng: rng.permutation(len(runs)))
    with pytest.raises(ValueError, match="test_runs"):
        vw.learning_curve(SAMPLES, [2], np.arange(6) == 4, rng=rng)
    for values in (1, np.ones(1), np.ones((4, 50))):
        with pytest.raises(ValueError, match=r"values of shape \(.*expected 50 at first"):
            vw.unmask(values, small_samples.mask_img)
