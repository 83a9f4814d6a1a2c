"""The simulated recording: its layout, the truth that it is made from, and its making, whatever comes between."""

import os
from pathlib import Path
from unittest.mock import Mock

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine

from voxelwise import average_trials, is_rest, load_stimuli, voxel_at
from voxelwise.simulation import cortex, experiment, responses, writing
from voxelwise.simulation.cortex import MARKED_COLUMNS, MARKED_VOXELS

PUBLISHED_HISTOGRAM = [4190, 430, 240, 200, 145, 100, 70, 70]  # max(R2, 0) in the first bins of 0.06


def test_runs_have_the_published_form(recording):
    """The numbers of white pixels, in four kinds of figure runs, are those that the stimuli were drawn with."""
    frames = np.stack([load_stimuli(path) for path in recording.label["figure"]])
    image = nibabel.load(recording.func["figure"][-1])
    assert (image.shape, image.header.get_zooms()) == ((64, 64, 30, 130), (3, 3, 3, 2))
    white = np.sort(frames[:, 10::12].clip(0).sum(axis=(2, 3)))[[0, 2, 3, 4], ::2]
    assert white.tolist() == [[12, 16, 28, 40, 48], [20, 28, 28, 28, 32], [24, 36, 36, 36, 40], [8, 12, 12, 14, 15]]
    assert (frames == 1).any(axis=(0, 1)).sum() == 64, "only these pixels are ever white"
    shown = ~is_rest(load_stimuli(recording.label["random"][0]))
    assert np.flatnonzero(shown).tolist() == [10 + 6 * trial + volume for trial in range(22) for volume in range(3)]


def test_left_is_left_and_the_background_covers_the_grid(recording):
    for name, path in recording.rois.items():
        image = nibabel.load(path)
        x = apply_affine(image.affine, np.argwhere(image.get_fdata()))[:, 0]
        assert ((x > 0) == name.startswith("RH")).all(), name
    corners = [apply_affine(nibabel.load(path).affine, [-0.5] * 3) for path in (recording.mask, recording.background)]
    np.testing.assert_allclose(*corners)


def test_voxels_share_noise_as_in_real_v1(recording, figures):
    """As measured in what is left of 120 figure trials, in 967 voxels, without the mean of their stimulus."""
    v1 = np.flatnonzero(recording.truth["area"].str.startswith("V1") & (recording.truth["gain"] > 0))
    trials = average_trials(figures.take(voxels=v1))
    _, stimulus = np.unique(trials.stimuli, axis=0, return_inverse=True)
    noise = pd.DataFrame(trials.responses)
    correlations = np.corrcoef((noise - noise.groupby(stimulus.ravel()).transform("mean")).T)
    pairs = correlations[np.triu_indices(len(v1), 1)]
    assert (pairs.mean(), pairs.std()) == pytest.approx((0.22, 0.23), abs=0.05)
    np.testing.assert_allclose(np.linalg.eigvalsh(correlations)[:-4:-1] / len(v1), [0.28, 0.08, 0.08], atol=0.05)


def test_the_published_pipeline_finds_the_published_scores(recording, samples, scores):
    assert samples.responses.shape == (2860, 5438)
    assert [voxel_at(samples.mask_img, position) for position in MARKED_VOXELS] == list(MARKED_COLUMNS)
    assert 0.5 < scores.max() < 0.65
    found, _ = np.histogram(np.maximum(scores, 0), np.arange(9) * 0.06)
    np.testing.assert_allclose(found, PUBLISHED_HISTOGRAM, rtol=1 / 3)
    share, prompt = recording.truth["share"].to_numpy(), (recording.truth["time_to_peak"] < 5).to_numpy()
    assert (share == 0).sum() > 2000 and scores[share == 0].max() < 0.06 and scores[(share > 0.5) & prompt].min() > 0.2


def test_made_once_and_again_by_other_code(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "write_recording", make := Mock(side_effect=lambda folder: folder.mkdir(parents=True)))
    folder = writing.simulated_recording(f"{tmp_path / ('x' * 256)}{os.pathsep}{tmp_path}")  # the first has no place
    assert writing.simulated_recording(tmp_path) == folder and make.call_count == 1
    assert list(folder.parents[1].iterdir()) == [folder.parent]
    for module in (writing, cortex, experiment, responses):
        with monkeypatch.context() as change:
            (tmp_path / "edited.py").write_bytes(Path(module.__file__).read_bytes() + b"# edited\n")
            change.setattr(module, "__file__", str(tmp_path / "edited.py"))
            assert writing.simulated_recording(tmp_path) != folder
