"""From a folder as fMRIPrep leaves it to samples: against the truth, on a stand-in of ds000255; and where it fails."""

import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level import spm_hrf
from nilearn.interfaces.fmriprep import load_confounds
from nilearn.maskers import NiftiMasker
from nilearn.masking import intersect_masks
from nilearn.signal import create_cosine_drift

import voxelwise as vw
from tests.data.stand_in import N_VERTICES, write_stand_in
from tests.plain import rewrite
from voxelwise import RecordingError, bids_recording, load_samples
from voxelwise.data.bids import read_events
from voxelwise.simulation.bids import SPACE, simulated_bids

REAL = Path(os.environ.get("VOXELWISE_REAL_DATA", ""))
FUNC, TASK = "derivatives/fmriprep/sub-01/ses-01/func/sub-01_ses-01_task-images", "task-images_bold.json"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "bids"
    simulated_bids(folder, np.random.default_rng(0))
    return folder


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    return folder, write_stand_in(folder, np.random.default_rng(0))


@pytest.fixture(scope="module")
def table(made):
    return vw.load_pictures(made / "stimuli", (4, 6))


@pytest.fixture
def changed(made, tmp_path):
    """A copy of the first subject, whose files may be replaced or taken away."""
    return shutil.copytree(made, tmp_path / "bids", ignore=shutil.ignore_patterns("sub-02"))


def find(folder, subject="01", **others):
    return bids_recording(folder, subject, "images", SPACE, **others)


def test_both_sides_are_cleaned_as_nilearns_masker_cleans(made, table):
    """Against nilearn from file to signals, with all steps; features keep their unit, and lose what is taken out."""
    recording, options = find(made, "02"), dict(features=table, drop_volumes="non_steady_state")
    samples = load_samples(recording, smoothing=5, high_pass=0.02, confounds=("motion",), **options)
    seen = load_samples(recording, **options).stimuli.astype(float)
    mask_img = intersect_masks(list(made.rglob("sub-02*_desc-brain_mask.nii.gz")), threshold=1, connected=False)
    for path, rows in list(zip(recording.func["random"], samples.run_rows, strict=True))[::5]:
        confounds, steady = load_confounds(str(path), strategy=("motion",))
        cleaning = dict(detrend=True, high_pass=0.02, t_r=2.0, clean_args={"filter": "cosine"})
        masker = NiftiMasker(mask_img, smoothing_fwhm=5, standardize="zscore_sample", **cleaning).fit()
        responses = masker.transform(str(path), confounds=confounds, sample_mask=steady)
        np.testing.assert_allclose(samples.responses[rows], responses, atol=2e-3)
        times = np.arange(len(confounds))
        regressors = np.column_stack([create_cosine_drift(0.02, 2.0 * times), times, confounds])[steady]
        fitted = regressors @ np.linalg.lstsq(regressors, seen[rows], rcond=None)[0]
        np.testing.assert_allclose(samples.stimuli[rows], seen[rows] - fitted, atol=1e-5)


def test_slow_changes_go_whatever_the_confounds_look_like(made, table):
    """Movement as slow as a cosine is no reason to leave the others in."""
    samples = load_samples(find(made), features=table, high_pass=0.05, confounds=("motion",))
    for rows in samples.run_rows:
        n = len(rows)
        cosines = np.cos(np.pi / n * (np.arange(n) + 0.5) * np.arange(1, int(0.2 * n))[:, np.newaxis])
        assert abs(cosines @ samples.responses[rows]).max() < 1e-2 and abs(cosines @ samples.stimuli[rows]).max() < 1e-3
    with pytest.warns(UserWarning, match="always detected"):  # nilearn's: it names no confound, so none is taken out
        assert not load_samples(find(made), features=table, confounds=("non_steady_state",)).report["confounds"].any()


def test_events_whose_rows_end_in_a_tab_stay_in_their_columns(tmp_path):
    (tmp_path / "events.tsv").write_text("onset\tduration\tvalue\n10\t1\t5\t\n20\t2\t6\t\n")
    assert read_events(tmp_path / "events.tsv")[["onset", "duration"]].to_numpy().tolist() == [[10, 1], [20, 2]]


def test_features_of_several_spaces_stand_side_by_side(made, table):
    recording = find(made, session="02")
    recording.events["random"][1]["trial_type"] = "of another run"
    spaces = {"luminance": table.mean(axis=1).to_frame(), "pixels": table, "any": "trial_type"}
    samples = load_samples(recording, features=spaces, hrf=[1, 2])
    assert [columns.tolist() for columns in samples.features.values()] == [[0, 1], [*range(2, 50)], [*range(50, 54)]]
    np.testing.assert_allclose(samples.stimuli[:, 0], samples.stimuli[:, 2:26].mean(axis=1), atol=1e-6)
    assert load_samples(recording, features=table, hrf=[1, 2]).stimulus_shape == (2, 4, 6)


def test_names_agree_by_what_they_mean_and_fmriprep_knows_the_time(changed):
    """Events of a subject stand above those of its sessions, in a folder whose name means something to glob."""
    changed = changed.rename(changed.with_name("study [1]"))
    derivatives = (changed / "derivatives" / "fmriprep").rename(changed / "prepared")
    func = derivatives / "sub-01" / "ses-02" / "func"
    for path in func.iterdir():
        path.rename(func / path.name.replace("run-0", "run-"))
    first, second, third, *others = sorted(changed.glob("sub-01/*/func/*_events.tsv"))
    second.unlink()
    third.unlink()
    first.rename(changed / "sub-01" / "sub-01_task-images_events.tsv")
    (func / "._sub-01_ses-02_task-images_run-1_desc-preproc_bold.nii.gz").write_text("of another system")
    (func / f"sub-01_ses-02_task-images_run-1_space-{SPACE}_desc-preproc_bold.json").write_text('{"StartTime": 0.2}')
    recording = find(changed, 1, derivatives=derivatives)
    found = [path.name for path in recording.label["random"]]
    assert found == ["sub-01_task-images_events.tsv"] * 3 + [path.name for path in others]
    assert recording.timing["random"] == [(2.0, 0.5)] * 3 + [(2.0, 0.1)] + [(2.0, 0.5)] * 2


def test_all_faults_and_what_is_there_instead_are_told(changed):
    there = f"subjects 01, sessions 01, 02, tasks images, spaces {SPACE} .*with bids"
    with pytest.raises(RecordingError, match=f'"03", session "3", .*{there}'):
        bids_recording(changed, "03", "images", "T1w", session="3")
    with pytest.raises(RecordingError, match=r"BIDS.*bids_recording"):
        vw.load_recording(changed)
    bold = f"space-{SPACE}_desc-preproc_bold"
    rewrite(changed / f"{FUNC}_run-02_{bold}.nii.gz", lambda v: v[1:])
    with pytest.raises(RecordingError, match=r"run-02.*grid of \(9,"):
        find(changed)
    shutil.copy(changed / f"{FUNC}_run-02_{bold}.nii.gz", changed / f"{FUNC}_run-02_res-2_{bold}.nii.gz")
    (changed / f"{FUNC}_run-03_space-{SPACE}_desc-brain_mask.nii.gz").unlink()
    (changed / "sub-01/ses-01/func/sub-01_ses-01_task-images_run-03_events.tsv").unlink()
    (changed / "sub-01/ses-02/func/sub-01_ses-02_task-images_run-01_events.tsv").write_text("a\tb\n1\t2\n")
    (changed / f"{FUNC}_run-01_{bold}.json").write_text("{")
    other = FUNC.replace("ses-01", "ses-02")
    (changed / f"{other}_run-02_{bold}.json").write_text('{"RepetitionTime": 2, "StartTime": "1"}')
    (changed / f"{other}_run-03_{bold}.json").write_text('{"RepetitionTime": "2 s"}')
    (changed / TASK).write_text('{"RepetitionTime": 2000}')
    with pytest.raises(RecordingError) as faults:
        find(changed)
    wanted = ["run-02.*of the same run as.*res-2", "run-03.*without a mask", "run-03.*without events"]
    for said in (
        *wanted,
        "ses-02.*run-01.*no.*table of events",
        "run-01.*not JSON",
        "run-02.*volume is 2000;",
        "run-03.*volume is '2 s';",
        "StartTime is '1'",
    ):
        assert re.search(said, str(faults.value))


def test_arguments_that_do_not_fit_are_refused_before_volumes_are_read(made, table, monkeypatch):
    recording, fitting = find(made), dict(features=table, confounds=("motion",))
    monkeypatch.setattr("nilearn.signal.clean", None)
    for options, said in (
        (dict(features=None), "features: NoneType; expected a DataFrame"),
        (dict(features="faces"), 'events.tsv: events: no column "faces"; they have onset'),
        (dict(confounds=("global_signal",)), "bold.nii.gz: no confounds as asked.*global_signal"),
        (dict(drop_volumes=-1), "drop_volumes=-1: expected a whole number"),
        (dict(drop_volumes=60), "24 of 84 volumes would be left for 24 confounds"),
        (dict(high_pass=0), "high_pass=0: expected a number above 0"),
    ):
        with pytest.raises(ValueError, match=said):
            load_samples(recording, **(fitting | options))


def test_a_confound_without_a_number_is_named(changed, table):
    path = next(changed.rglob("*ses-01*run-02*_timeseries.tsv"))
    confounds = pd.read_csv(path, sep="\t")
    confounds.assign(rot_y=np.nan).to_csv(path, sep="\t", na_rep="n/a", index=False)
    with pytest.raises(RecordingError, match=r"run-02.*: n/a among its confounds in rot_y;"):
        load_samples(find(changed), features=table, confounds=("motion",))


def test_a_folder_of_links_holds_the_share_of_each_volume(made, table, tmp_path):
    """Of pictures for a second, at any millisecond; the check warns of the first volumes."""
    recording = find(made, session="01")
    folder = vw.link_folder(recording, table, tmp_path / "linked")
    assert all(path.is_symlink() for path in (folder / "func").iterdir())
    stimuli = load_samples(vw.load_recording(folder, stimulus_shape=(4, 6)), lag=0).stimuli
    covered, on = (load_samples(recording, features=each, hrf=None).stimuli for each in (table, table * 0 + 1))
    np.testing.assert_allclose(stimuli, np.where(on < 0.01, -1, covered - np.maximum(1 - on, 0)), atol=1e-5)
    assert "the first 2 volumes" in vw.check_folder(folder, (4, 6)).warnings[0]
    with pytest.raises(FileExistsError):
        vw.link_folder(recording, table, folder)
    with pytest.raises(ValueError, match=r"laid out as \(\d+,\)"):
        vw.link_folder(recording, "stim_file", tmp_path / "again")
    assert not (tmp_path / "again").exists()


def test_labels_are_cleaned_too(small_folder):
    recording = vw.load_recording(small_folder)
    plain, samples = load_samples(recording, lag=2), load_samples(recording, lag=2, drop_volumes=5)
    np.testing.assert_array_equal(samples.stimuli[samples.runs == 1], plain.stimuli[plain.runs == 1][3:])
    slow, cosine = load_samples(recording, lag=0, high_pass=0.025), np.cos(np.pi / 30 * (np.arange(30) + 0.5))
    for matrix in (slow.stimuli, slow.responses):
        assert abs(cosine @ matrix[:30]).max() < 1e-3
    with pytest.raises(ValueError, match="for a recording with events only"):
        load_samples(recording, confounds=("motion",))
    smooth, path = load_samples(recording, smoothing=4), recording.func["random"][2]
    nudged = nibabel.load(path).affine + [[0, 0, 0, 0.02], *np.zeros((3, 4))]
    rewrite(path, lambda v: v[..., np.newaxis], nudged)
    again = load_samples(recording, smoothing=4)
    np.testing.assert_array_equal(again.responses, smooth.responses, "an axis of length 1, a hundredth of a voxel off")
    rewrite(path, lambda v: np.where(v == v.max(), np.nan, v))
    with pytest.raises(RecordingError, match=r"run3\.nii\.gz: not finite in 1 voxels"):
        load_samples(recording, smoothing=4)


def find_real(stand_in, space):
    tasks, derivatives = {"random": "viewRandom", "figure": "viewFigure"}, stand_in[0] / "ds000255-fmriprep"
    return bids_recording(stand_in[0] / "ds000255", "01", tasks, space, derivatives=derivatives)


def test_from_surfaces_to_scores_fields_and_trials(stand_in):
    recording, pixels = find_real(stand_in, "fsaverage5"), stand_in[1][-2 * N_VERTICES :]
    assert [path.name.partition("run-")[2][:2] for path in recording.label["figure"]] == ["03", "06"] * 2
    table, motion = vw.load_patterns(recording, (12, 12)), {"strategy": ("motion",), "motion": "basic"}
    samples = load_samples(recording, features=table.loc[:, np.s_[1:10, 1:10]], hrf="spm", confounds=motion)
    assert samples.stimulus_shape == (10, 10) and samples.report["shown"].tolist() == [20] * 12
    assert np.median(vw.cross_validate_ridge(samples, alpha=1, cv=6).mean(axis=0)) > 0.8
    fields = vw.fit_receptive_fields(samples)
    peaks = np.column_stack(np.unravel_index(fields.reshape(len(fields), -1).argmax(axis=1), (10, 10)))
    assert samples.mask_img is None and (peaks == pixels - 1).all(axis=1).mean() > 0.95
    trials = vw.load_trials(recording, features=table, confounds=motion, hrf_model=lambda *times: spm_hrf(*times))
    assert trials.stimuli.shape == (240, 144) and trials.stimulus_shape == (12, 12)
    pairs = zip(trials.stimuli[:, pixels @ [12, 1]].T, trials.responses.T, strict=True)
    np.testing.assert_allclose([np.polyfit(seen, answer, 1)[0] for seen, answer in pairs], 2, atol=0.25)
    for some in (samples.take(voxels=range(9)), trials.take(voxels=range(9))):
        noise = np.random.default_rng(0).normal(size=(len(some.runs), 2))
        stacked = vw.stack_features(some, {"pixels": some.stimuli, "noise": noise})
        found = vw.partition_variance(stacked, [1.0, 100.0], cv=3)
        np.testing.assert_allclose(found.split.sum(axis=1), found.scores.mean(axis=0), atol=1e-6)
        assert found.unique["pixels"].median() > 0.4 and found.unique["noise"].abs().max() < 0.05


def test_a_space_must_be_there_and_surfaces_be_whole(stand_in, tmp_path):
    recording = find_real(stand_in, "fsaverage5")
    with pytest.raises(ValueError, match="smoothing=4"):
        load_samples(recording, features="trial_type", smoothing=4)
    with pytest.raises(RecordingError, match="no volumes with events"):
        vw.link_folder(recording, vw.load_patterns(recording, (12, 12)), tmp_path / "linked")
    with pytest.raises(RecordingError, match=r"tasks viewFigure, viewRandom, spaces MNI.*res-2, None, T1w, fsaverage5"):
        find_real(stand_in, "T2w")
    (right,) = stand_in[0].glob("ds000255-fmriprep/sub-01/ses-01/func/*viewRandom_run-4_hemi-R*")
    moved = right.rename(right.with_name("moved"))
    with pytest.raises(RecordingError, match=r"run-4_hemi-L_space-fsaverage5.*without its other hemisphere"):
        find_real(stand_in, "fsaverage5")
    moved.rename(right)


@pytest.mark.skipif(not (REAL / "ds000255_events").is_dir(), reason="VOXELWISE_REAL_DATA names no folder with events")
def test_real_patterns_are_the_labels_that_the_real_recording_has():
    (path,) = (REAL / "ds000255_events").glob("*viewRandom_run-01_events.tsv")
    events = read_events(path)
    recording = SimpleNamespace(events={"random": [events]}, label={"random": [path]})
    table = vw.load_patterns(recording, (12, 12)).loc[:, (slice(1, 10), slice(1, 10))]
    (label,) = (REAL / "miyawaki_labels").rglob("*random_run01_label.csv")
    stimuli, shown = vw.load_stimuli(label).reshape(-1, 100), events.dropna(subset="stimulus_pattern")
    at = (shown["onset"] // 2).astype(int) - 149 + len(stimuli)
    np.testing.assert_array_equal(stimuli[at], table.loc[shown["stimulus_pattern"]])
