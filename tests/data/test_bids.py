"""From a folder as fMRIPrep leaves it to samples, against the truth that was put in; what is said where it fails."""

import json
import shutil

import nibabel
import numpy as np
import pandas as pd
import pytest
from nilearn.interfaces.fmriprep import load_confounds
from nilearn.maskers import NiftiMasker
from nilearn.signal import create_cosine_drift

import voxelwise as vw
from tests.plain import rewrite
from voxelwise import RecordingError, bids_recording, load_samples
from voxelwise.simulation.bids import SPACE, simulated_bids

CLEAN = dict(confounds=("motion", "wm_csf", "high_pass"), drop_volumes="non_steady_state")
FUNC = f"derivatives/fmriprep/sub-01/ses-01/func/sub-01_ses-01_task-images_run-02_space-{SPACE}_desc"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "bids"
    simulated_bids(folder, np.random.default_rng(0))
    return folder


@pytest.fixture(scope="module")
def table(made):
    return vw.load_pictures(made / "stimuli", (4, 6))


@pytest.fixture
def changed(made, tmp_path):
    return shutil.copytree(made, tmp_path / "bids")


def find(folder, subject="01", **others):
    return bids_recording(folder, subject, "images", SPACE, **others)


def test_a_report_tells_of_volumes_and_of_what_the_masks_have_in_common(made, table):
    samples = load_samples(find(made), features=table, **CLEAN)
    report = samples.report
    assert report["dropped"].tolist() == [2] * 6 and set(report["confounds"]) == {28, 29}
    np.testing.assert_array_equal(np.bincount(samples.runs), report["volumes"] - 2)
    masks = [nibabel.load(path).get_fdata() > 0 for path in sorted(made.rglob("sub-01*_desc-brain_mask.nii.gz"))]
    common = np.logical_and.reduce(masks)
    assert report["lost"].tolist() == [mask.sum() - common.sum() for mask in masks] and report["lost"].min() > 0
    np.testing.assert_array_equal(np.asarray(samples.mask_img.dataobj) > 0, common)


def test_both_sides_are_cleaned_as_nilearns_masker_cleans(made, table):
    """Against nilearn from file to signals, with all steps; features keep their unit, and lose what is taken out."""
    recording, options = find(made, "02", session="1"), dict(features=table, drop_volumes="non_steady_state")
    samples = load_samples(recording, smoothing=5, high_pass=0.02, confounds=("motion",), **options)
    seen = load_samples(recording, **options).stimuli.astype(float)
    for path, rows in zip(recording.func["random"], samples.run_rows, strict=True):
        confounds, steady = load_confounds(str(path), strategy=("motion",))
        cleaning = dict(detrend=True, high_pass=0.02, t_r=2.0, clean_args={"filter": "cosine"})
        masker = NiftiMasker(recording.read_mask(), smoothing_fwhm=5, standardize="zscore_sample", **cleaning).fit()
        responses = masker.transform(str(path), confounds=confounds, sample_mask=steady)
        np.testing.assert_allclose(samples.responses[rows], responses, atol=2e-3)
        times = np.arange(len(confounds))
        regressors = np.column_stack([create_cosine_drift(0.02, 2.0 * times), times, confounds])[steady]
        fitted = regressors @ np.linalg.lstsq(regressors, seen[rows], rcond=None)[0]
        np.testing.assert_allclose(samples.stimuli[rows], seen[rows] - fitted, atol=1e-5)


def test_features_of_several_spaces_stand_side_by_side(made, table):
    recording, spaces = find(made, session="02"), {"luminance": table.mean(axis=1).to_frame(), "pixels": table}
    samples = load_samples(recording, features=spaces, hrf=[1, 2])
    assert [columns.tolist() for columns in samples.features.values()] == [[0, 1], [*range(2, 50)]]
    np.testing.assert_allclose(samples.stimuli[:, 0], samples.stimuli[:, 2:26].mean(axis=1), atol=1e-6)
    assert load_samples(recording, features=table, hrf=[1, 2]).stimulus_shape == (2, 4, 6)
    assert load_samples(recording, features="trial_type").stimuli.shape[1] == 1


def test_names_agree_by_what_they_mean(changed):
    func = changed / "derivatives" / "fmriprep" / "sub-01" / "ses-02" / "func"
    for path in func.iterdir():
        path.rename(func / path.name.replace("run-0", "run-"))
    events = [pd.read_csv(path, sep="\t") for path in sorted(changed.glob("sub-01/**/*_events.tsv"))]
    for path in changed.glob("sub-01/ses-01/func/*_events.tsv"):
        path.unlink()
    events[0].to_csv(changed / "task-images_events.tsv", sep="\t", index=False)
    (func / "._sub-01_ses-02_task-images_run-1_desc-preproc_bold.nii.gz").write_bytes(b"of another system")
    assert [len(each) for each in find(changed).events["random"]] == [len(events[0])] * 3 + [*map(len, events[3:])]


def test_the_time_within_a_volume_is_fmripreps(changed):
    assert find(changed).timing["random"] == [(2.0, 0.5)] * 6
    (changed / f"{FUNC}-preproc_bold.json").write_text(json.dumps({"RepetitionTime": 2.0, "StartTime": 0.2}))
    (changed / "task-images_bold.json").unlink()
    assert find(changed).timing["random"] == [(2.0, 0.5), (2.0, 0.1)] + [(2.0, 0.5)] * 4


def without(name):
    return lambda folder: next(folder.glob(name)).unlink()


def twice(folder):
    run = folder / f"{FUNC}-preproc_bold.nii.gz"
    shutil.copy(run, str(run).replace("_desc", "_res-2_desc"))


EVENTS = "sub-01/ses-01/func/*run-02_events.tsv"
FAULTS = [
    (without(EVENTS), r"run-02.*: without events"),
    (without(f"{FUNC}-brain_mask*"), r"run-02_space.*: without a mask"),
    (lambda folder: rewrite(folder / f"{FUNC}-preproc_bold.nii.gz", lambda v: v[1:]), r"run-02.*grid of \(9,"),
    (twice, r"run-02.*of the same run as.*res-2"),
    (lambda folder: (folder / "task-images_bold.json").write_text('{"RepetitionTime": "2 s"}'), "volume is 2 s"),
    (lambda folder: (folder / f"{FUNC}-preproc_bold.json").write_text("{"), "not JSON"),
    (lambda folder: next(folder.glob(EVENTS)).write_text("a\tb\n1\t2\n"), "no.*table of events"),
]


@pytest.mark.parametrize(("spoil", "said"), FAULTS)
def test_faults_of_names_and_headers_are_told(changed, spoil, said):
    spoil(changed)
    with pytest.raises(RecordingError, match=said):
        find(changed)


def test_all_faults_and_what_is_there_instead_are_told(changed, tmp_path):
    for arguments, said in (
        (("03", "images", SPACE), "subjects 01, 02, tasks images"),
        (("01", "images", "T1w"), f"images, spaces {SPACE} "),
    ):
        with pytest.raises(RecordingError, match=said):
            bids_recording(changed, *arguments)
    with pytest.raises(RecordingError, match=r"BIDS.*bids_recording"):
        vw.load_recording(changed)
    for spoil, _ in FAULTS[:2]:
        spoil(changed)
    with pytest.raises(RecordingError, match=r"(?s)without a mask.*without events|without events.*without a mask"):
        find(changed)
    moved = (changed / "derivatives" / "fmriprep").rename(tmp_path / "fmriprep")
    assert find(changed, "02", derivatives=moved).func["random"][0].is_relative_to(moved)
    with pytest.raises(RecordingError, match=r'no runs of subject "01".*subjects none.*derivatives'):
        find(changed)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(features=None), "features: NoneType; expected a DataFrame"),
        (dict(features="faces"), 'events.tsv: events: no column "faces"; they have onset'),
        (dict(confounds="motion"), r"expected several names, such as \('motion',\)"),
        (dict(confounds=("global_signal",)), "bold.nii.gz: no confounds as asked.*global_signal"),
        (dict(drop_volumes=-1), "drop_volumes=-1: expected a whole number"),
        (dict(drop_volumes=60), "of 84 volumes would be left"),
        (dict(high_pass=0), "high_pass=0: expected a number above 0"),
        (dict(kind="figure"), 'no runs of kind "figure"'),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_volumes_are_read(made, table, monkeypatch, options, said):
    monkeypatch.setattr("nilearn.signal.clean", None)
    with pytest.raises(ValueError, match=said):
        load_samples(find(made), **(dict(features=table, confounds=("motion",)) | options))


def test_a_folder_of_links_holds_the_share_of_each_volume(made, table, tmp_path):
    """Of pictures for a second, at any millisecond; the check warns of the first volumes."""
    recording = find(made, session="01")
    folder = vw.link_folder(recording, table, tmp_path / "linked")
    stimuli = load_samples(vw.load_recording(folder, stimulus_shape=(4, 6)), lag=0).stimuli
    covered, on = (load_samples(recording, features=each, hrf=None).stimuli for each in (table, table * 0 + 1))
    np.testing.assert_allclose(stimuli, np.where(on < 0.01, -1, covered - np.maximum(1 - on, 0)), atol=1e-5)
    assert "the first 2 volumes" in vw.check_folder(folder, (4, 6)).warnings[0]
    with pytest.raises(FileExistsError):
        vw.link_folder(recording, table, folder)


def test_labels_are_cleaned_too(small_folder):
    recording = vw.load_recording(small_folder)
    plain, samples = load_samples(recording, lag=2), load_samples(recording, lag=2, drop_volumes=5)
    np.testing.assert_array_equal(samples.stimuli[samples.runs == 1], plain.stimuli[plain.runs == 1][3:])
    assert samples.report["dropped"].tolist() == [5] * 4
    slow, cosine = load_samples(recording, lag=0, high_pass=0.025), np.cos(np.pi / 30 * (np.arange(30) + 0.5))
    for matrix in (slow.stimuli, slow.responses):
        assert abs(cosine @ matrix[:30]).max() < 1e-3
    for options in (dict(features="trial_type"), dict(confounds=("motion",)), dict(drop_volumes="non_steady_state")):
        with pytest.raises(ValueError, match=f"{next(iter(options))}"):
            load_samples(recording, **options)
