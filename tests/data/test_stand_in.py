"""The real experiment in the order of BIDS, by a stand-in with its names: from folder to scores and fields."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

import voxelwise as vw
from tests.data.stand_in import N_VERTICES, write_stand_in
from voxelwise import RecordingError, load_patterns, load_samples
from voxelwise.data.bids import read_events

REAL = Path(os.environ.get("VOXELWISE_REAL_DATA", ""))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return folder, write_stand_in(folder, np.random.default_rng(0))


def find(made, space):
    tasks = {"random": "viewRandom", "figure": "viewFigure"}
    return vw.bids_recording(made[0] / "ds000255", "01", tasks, space, derivatives=made[0] / "ds000255-fmriprep")


def test_from_surfaces_to_scores_fields_and_trials(made):
    recording, pixels = find(made, "fsaverage5"), made[1][-2 * N_VERTICES :]
    assert [path.name.split("_events")[0] for path in recording.label["figure"]] == [
        f"sub-01_ses-{ses:02}_task-viewFigure_run-{run:02}" for ses in (1, 2) for run in (3, 6)
    ]
    table, motion = load_patterns(recording, (12, 12)), {"strategy": ("motion",), "motion": "basic"}
    central = table.loc[:, (slice(1, 10), slice(1, 10))]
    samples = load_samples(recording, features=central, hrf="spm", confounds=motion)
    assert samples.stimulus_shape == (10, 10) and samples.report["shown"].tolist() == [20] * 12
    assert np.median(vw.cross_validate_ridge(samples, alpha=1, cv=6).mean(axis=0)) > 0.8
    fields = vw.fit_receptive_fields(samples)
    peaks = np.column_stack(np.unravel_index(fields.reshape(len(fields), -1).argmax(axis=1), (10, 10)))
    assert samples.mask_img is None and (peaks == pixels - 1).all(axis=1).mean() > 0.95
    trials = vw.load_trials(recording, features=table, confounds=motion)
    assert trials.stimuli.shape == (240, 144) and trials.stimulus_shape == (12, 12)
    pairs = zip(trials.stimuli[:, pixels @ [12, 1]].T, trials.responses.T, strict=True)
    np.testing.assert_allclose([np.polyfit(seen, answer, 1)[0] for seen, answer in pairs], 2, atol=0.25)


def test_a_space_must_be_there_and_surfaces_be_whole(made, tmp_path):
    recording = find(made, "fsaverage5")
    with pytest.raises(ValueError, match="smoothing=4"):
        load_samples(recording, features="trial_type", smoothing=4)
    with pytest.raises(RecordingError, match="no volumes with events"):
        vw.link_folder(recording, load_patterns(recording, (12, 12)), tmp_path / "linked")
    with pytest.raises(RecordingError, match=r"tasks viewFigure, viewRandom, spaces MNI.*res-2, None, T1w, fsaverage5"):
        find(made, "T2w")
    (right,) = made[0].glob("ds000255-fmriprep/sub-01/ses-01/func/*viewRandom_run-4_hemi-R*")
    moved = right.rename(right.with_name("moved"))
    with pytest.raises(RecordingError, match=r"run-4_hemi-L_space-fsaverage5.*without its other hemisphere"):
        find(made, "fsaverage5")
    moved.rename(right)


@pytest.mark.skipif(not (REAL / "ds000255_events").is_dir(), reason="VOXELWISE_REAL_DATA names no folder with events")
def test_real_patterns_are_the_labels_that_the_real_recording_has(made):
    for kind, name in (("random", "viewRandom_run-01"), ("figure", "viewFigure_run-03")):
        (path,) = (REAL / "ds000255_events").glob(f"*{name}_events.tsv")
        events = read_events(path)
        recording = dataclasses.replace(find(made, "T1w"), events={kind: [events]}, label={kind: [path]})
        table = load_patterns(recording, (12, 12)).loc[:, (slice(1, 10), slice(1, 10))]
        (label,) = (REAL / "miyawaki_labels").rglob(f"*{kind}_run01_label.csv")
        stimuli = vw.load_stimuli(label).reshape(-1, 100)
        for event in events.dropna(subset="stimulus_pattern").itertuples():
            at = int(event.onset / 2) - (149 - len(stimuli) if kind == "random" else 134 - len(stimuli))
            np.testing.assert_array_equal(stimuli[at], table.loc[event.stimulus_pattern])
