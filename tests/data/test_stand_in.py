"""The real experiment in the order of BIDS, by a stand-in with its names: from folder to scores and fields."""

import dataclasses
import os
from pathlib import Path

import numpy as np
import pytest

from tests.data.stand_in import GRID, N_VERTICES, write_stand_in
from voxelwise import (
    RecordingError,
    bids_recording,
    check_folder,
    cross_validate_ridge,
    fit_receptive_fields,
    link_folder,
    load_patterns,
    load_recording,
    load_samples,
    load_stimuli,
    load_trials,
    noise_ceiling,
    permutation_test,
    search_alpha,
)
from voxelwise.data.bids import read_events

MOTION = {"strategy": ("motion",), "motion": "basic"}
TASKS = {"random": "viewRandom", "figure": "viewFigure"}
MNI = "MNI152NLin2009cAsym"
REAL = os.environ.get("VOXELWISE_REAL_DATA")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folder, and the pixel of each voxel and vertex."""
    folder = tmp_path_factory.mktemp("data")
    return folder, write_stand_in(folder, np.random.default_rng(0))


def find(made, space, task=TASKS):
    return bids_recording(made[0] / "ds000255", "01", task, space, derivatives=made[0] / "ds000255-fmriprep")


@pytest.mark.parametrize("space", [MNI, f"{MNI}:res-2", "T1w", None, "fsaverage5"])
def test_names_are_read_as_they_are(made, space):
    recording = find(made, space)
    assert [len(recording.func[kind]) for kind in ("random", "figure")] == [12, 4]
    numbers = [name.split("run-")[1][0] for name in map(str, recording.func["random"])]
    assert numbers == list("124578") * 2 and recording.timing["random"] == [(2.0, 0.5)] * 12
    wanted = [f"{path.name.split('_events')[0]}" for path in recording.label["figure"]]
    assert wanted == [f"sub-01_ses-{ses:02}_task-viewFigure_run-{run:02}" for ses in (1, 2) for run in (3, 6)]
    events = recording.events["random"][0]
    assert len(events) == 41 and events["stimulus_pattern"].isna().sum() == 21
    with pytest.raises(
        RecordingError, match=r"found tasks viewFigure, viewRandom, spaces MNI.*, None, T1w, fsaverage5"
    ):
        find(made, "T2w")


@pytest.mark.parametrize("space", [MNI, "fsaverage5"])
@pytest.mark.parametrize("side", [12, 10])
def test_from_folder_to_scores_and_fields(made, space, side):
    recording, pixels = find(made, space), made[1][: np.prod(GRID)] if space == MNI else made[1][-2 * N_VERTICES :]
    table, cut = load_patterns(recording, (12, 12)), (12 - side) // 2
    central = table.loc[:, (slice(cut, 11 - cut), slice(cut, 11 - cut))]
    samples = load_samples(recording, features=central, hrf="spm", confounds=MOTION)
    assert samples.stimulus_shape == (side, side) and samples.report["shown"].tolist() == [20] * 12
    assert (samples.mask_img is None) == (space == "fsaverage5")
    assert np.median(cross_validate_ridge(samples, alpha=1, cv=6).mean(axis=0)) > 0.8
    fields = fit_receptive_fields(samples, n_jobs=1)
    peaks = np.column_stack(np.unravel_index(fields.reshape(len(fields), -1).argmax(axis=1), (side, side)))
    assert (peaks == pixels - cut).all(axis=1).mean() > 0.95


@pytest.mark.parametrize("space", ["T1w", "fsaverage5"])
def test_surfaces_and_trials_go_all_the_way(made, space):
    """Responses to trials, from volumes and from surfaces, through scores, search, test and ceiling."""
    recording, table = find(made, space), load_patterns(find(made, space), (12, 12))
    trials = load_trials(recording, features=table, confounds=MOTION)
    assert trials.stimuli.shape == (240, 144) and trials.stimulus_shape == (12, 12)
    assert set(trials.stimuli.ravel()) == {0, 1}
    pixels = made[1][: np.prod(GRID)] if space == "T1w" else made[1][-2 * N_VERTICES :]
    driven = trials.stimuli[:, pixels @ [12, 1]]
    effect = [np.polyfit(seen, answer, 1)[0] for seen, answer in zip(driven.T, trials.responses.T, strict=True)]
    np.testing.assert_allclose(effect, 2, atol=0.25)  # percent: 20 of 1000
    assert np.median(cross_validate_ridge(trials, alpha=1, cv=6).mean(axis=0)) > 0.4
    search = search_alpha(trials, np.geomspace(1e-3, 10, 5), cv=6)
    assert np.median(search.curves.max(axis=1)) > 0.4
    test = permutation_test(trials, alpha=1.0, cv=6, n_permutations=20, rng=np.random.default_rng(0))
    assert test.discoveries(0.1).mean() > 0.9
    figures = load_trials(recording, "figure", features=table)
    ceiling = noise_ceiling(figures)
    varies = driven_by_figures(figures, pixels)
    assert np.median(ceiling.r2[varies]) > 0.8 and abs(np.median(ceiling.r2[~varies])) < 0.3


def driven_by_figures(figures, pixels):
    """Which voxels' pixels differ between figures."""
    return figures.stimuli[:, pixels @ [12, 1]].std(axis=0) > 0


def test_a_folder_of_links_is_what_the_chapters_read(made, tmp_path):
    """Pixels column by column, rest -1; scores as from events with the same delay."""
    recording, table = find(made, None), load_patterns(find(made, None), (12, 12))
    folder = link_folder(recording, table, tmp_path / "linked")
    assert check_folder(folder).faults == check_folder(folder).warnings == []
    assert all(path.is_symlink() for path in (folder / "func").iterdir())
    linked = load_recording(folder)
    assert {kind: len(paths) for kind, paths in linked.func.items()} == {"figure": 4, "random": 12}
    labelled, events = load_samples(linked, lag=3), load_samples(recording, features=table, hrf=[3])
    kept = np.concatenate([rows[3:] for rows in events.run_rows])
    np.testing.assert_allclose(labelled.responses, events.responses[kept], atol=1e-5)
    np.testing.assert_array_equal(np.maximum(labelled.stimuli, 0), events.stimuli[kept])
    rest = events.stimuli[kept].any(axis=1) == 0
    assert (labelled.stimuli[rest] == -1).all() and (labelled.stimuli[~rest] >= 0).all()
    with pytest.raises(RecordingError, match="no volumes with events"):
        link_folder(find(made, "fsaverage5"), table, tmp_path / "surfaces")


def test_a_surface_without_its_other_hemisphere_and_vertices_without_numbers(made, tmp_path):
    folder = made[0] / "ds000255-fmriprep" / "sub-01" / "ses-01" / "func"
    (missing,) = folder.glob("*viewRandom_run-4_hemi-R*")
    moved = missing.rename(tmp_path / missing.name)
    try:
        with pytest.raises(RecordingError, match=r"run-4_hemi-L_space-fsaverage5.*without its other hemisphere"):
            find(made, "fsaverage5")
        missing.write_bytes(moved.read_bytes()[:-500])
        with pytest.raises(RecordingError, match=r"run-4_hemi-L.*cannot be read as GIFTI"):
            load_samples(find(made, "fsaverage5"), features="trial_type")
    finally:
        missing.write_bytes(moved.read_bytes())
    with pytest.raises(ValueError, match="smoothing=4"):
        load_samples(find(made, "fsaverage5"), features="trial_type", smoothing=4)


@pytest.mark.skipif(not REAL, reason="VOXELWISE_REAL_DATA names no folder")
def test_real_patterns_are_the_labels_that_the_real_recording_has(made):
    """Of both real event files: their central 10 x 10 pixels, volume by volume, are nilearn's labels."""
    data = Path(REAL)
    if not (data / "ds000255_events").is_dir():
        pytest.skip("the real events are not there")
    for kind, name in (("random", "viewRandom_run-01"), ("figure", "viewFigure_run-03")):
        (path,) = (data / "ds000255_events").glob(f"*{name}_events.tsv")
        events = read_events(path)
        recording = dataclasses.replace(find(made, "T1w"), events={kind: [events]}, label={kind: [path]})
        table = load_patterns(recording, (12, 12)).loc[:, (slice(1, 10), slice(1, 10))]
        (label,) = (data / "miyawaki_labels").rglob(f"*{kind}_run01_label.csv")
        stimuli = load_stimuli(label).reshape(-1, 100)
        shown = events.dropna(subset="stimulus_pattern")
        for event in shown.itertuples():
            at = int(event.onset / 2) - (149 - len(stimuli) if kind == "random" else 134 - len(stimuli))
            np.testing.assert_array_equal(stimuli[at], table.loc[event.stimulus_pattern])
