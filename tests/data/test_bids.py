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

from tests.plain import rewrite
from voxelwise import (
    RecordingError,
    bids_recording,
    check_folder,
    cross_validate_ridge,
    fit_receptive_fields,
    link_folder,
    load_pictures,
    load_recording,
    load_run_stimuli,
    load_samples,
)
from voxelwise.simulation.bids import SPACE, simulated_bids

CONFOUNDS = ("motion", "wm_csf", "high_pass")
CLEAN = dict(confounds=CONFOUNDS, drop_volumes="non_steady_state")
FUNC = f"derivatives/fmriprep/sub-01/ses-01/func/sub-01_ses-01_task-images_run-02_space-{SPACE}_desc"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A data set, and the weights that each subject's voxels give to pixels."""
    folder = tmp_path_factory.mktemp("data") / "bids"
    return folder, simulated_bids(folder, np.random.default_rng(0))


@pytest.fixture(scope="module")
def table(made):
    return load_pictures(made[0] / "stimuli", (4, 6))


@pytest.fixture
def changed(made, tmp_path):
    """A copy of the data set, to change."""
    return shutil.copytree(made[0], tmp_path / "bids")


def find(folder, subject="01", **others):
    return bids_recording(folder, subject, "images", SPACE, **others)


def score(samples, fields, alpha=0.3):
    """Mean R2 over the voxels that answer, and what a model that knows their weights would get up to a factor."""
    weights = fields[np.asarray(samples.mask_img.dataobj) > 0].reshape(-1, 24)
    answers, perfect = weights.any(axis=1), []
    for rows in samples.run_rows:
        true, responses = samples.stimuli[rows] @ weights[answers].T, samples.responses[rows][:, answers]
        true -= true.mean(axis=0)
        perfect.append(np.sum(true * responses, axis=0) ** 2 / np.sum(true**2, axis=0) / np.sum(responses**2, axis=0))
    return cross_validate_ridge(samples, alpha, cv=len(samples.run_rows)).mean(axis=0)[answers].mean(), np.mean(perfect)


@pytest.mark.parametrize("subject", ["01", "02"])
def test_scores_come_close_to_a_perfect_models_and_each_step_is_worth_something(made, table, subject):
    recording, fields = find(made[0], subject), made[1][subject]
    clean = load_samples(recording, features=table, **CLEAN)
    best, perfect = score(clean, fields)
    assert best > 0.9 * perfect > 0.6
    without = {
        "confounds": CLEAN | dict(confounds=()),
        "a response": CLEAN | dict(hrf=None),
        "more than one delay": CLEAN | dict(hrf=[2]),
        "drop": CLEAN | dict(drop_volumes=0),
    }
    for left_out, options in without.items():
        samples = load_samples(recording, features=table, **options)
        worse = max(score(samples, fields, alpha)[0] for alpha in (0.3, 10))
        assert worse < best - 0.2, left_out
    weights = fit_receptive_fields(clean)
    true = fields[np.asarray(clean.mask_img.dataobj) > 0]
    alike = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(weights, true, strict=True) if b.any()]
    assert clean.stimulus_shape == (4, 6) and np.median(alike) > 0.9


def test_a_report_tells_of_runs_events_volumes_and_voxels(made, table):
    samples = load_samples(find(made[0]), features=table, **CLEAN)
    report, folder = samples.report, made[0] / "sub-01"
    assert list(report.index) == [
        f"sub-01_ses-{ses:02}_task-images_run-{run:02}" for ses in (1, 2) for run in (1, 2, 3)
    ]
    n_events = [len(pd.read_csv(path, sep="\t")) for path in sorted(folder.rglob("*_events.tsv"))]
    assert report["events"].tolist() == report["shown"].tolist() == n_events
    assert report["dropped"].tolist() == [2] * 6 and set(report["confounds"]) == {28, 29}
    np.testing.assert_array_equal(np.bincount(samples.runs), report["volumes"] - 2)
    masks = [nibabel.load(path).get_fdata() > 0 for path in sorted(made[0].rglob("sub-01*_desc-brain_mask.nii.gz"))]
    common = np.logical_and.reduce(masks)
    assert report["lost"].tolist() == [mask.sum() - common.sum() for mask in masks] and report["lost"].min() > 0
    np.testing.assert_array_equal(np.asarray(samples.mask_img.dataobj) > 0, common)
    assert set(report["voxels"]) == {common.sum()} and not report["dead"].any()
    n_kept = report["volumes"].iloc[3:].sum() - 6
    assert len(load_samples(find(made[0], session="02"), features=table, **CLEAN).runs) == n_kept


def test_both_sides_are_cleaned_as_nilearns_masker_cleans(made, table):
    """Against nilearn from file to signals, with all steps; features keep their unit, and lose what is taken out."""
    recording = find(made[0], "02", session="1")
    samples = load_samples(
        recording, features=table, smoothing=5, high_pass=0.02, **(CLEAN | {"confounds": ("motion",)})
    )
    seen = load_samples(recording, features=table, drop_volumes="non_steady_state").stimuli.astype(float)
    for number, path in enumerate(recording.func["random"]):
        confounds, steady = load_confounds(str(path), strategy=("motion",))
        options = dict(detrend=True, high_pass=0.02, t_r=2.0, clean_args={"filter": "cosine"})
        masker = NiftiMasker(recording.read_mask(), smoothing_fwhm=5, standardize="zscore_sample", **options).fit()
        responses = masker.transform(str(path), confounds=confounds, sample_mask=steady)
        rows = samples.run_rows[number]
        np.testing.assert_allclose(samples.responses[rows], responses, atol=2e-3)
        n_volumes = len(confounds)
        cosines = create_cosine_drift(0.02, 2.0 * np.arange(n_volumes))
        regressors = np.column_stack([cosines, np.arange(n_volumes), confounds])[steady]
        fitted = regressors @ np.linalg.lstsq(regressors, seen[rows], rcond=None)[0]
        np.testing.assert_allclose(samples.stimuli[rows], seen[rows] - fitted, atol=1e-5)


def test_features_of_several_spaces_stand_side_by_side(made, table):
    recording, luminance = find(made[0]), table.mean(axis=1).to_frame()
    samples = load_samples(recording, features={"luminance": luminance, "pixels": table}, hrf=[1, 2])
    assert samples.stimuli.shape[1] == 50 and samples.stimulus_shape == (50,)
    assert samples.features["luminance"].tolist() == [0, 1] and samples.features["pixels"].tolist() == list(
        range(2, 50)
    )
    np.testing.assert_allclose(samples.stimuli[:, 0], samples.stimuli[:, 2:26].mean(axis=1), atol=1e-6)
    assert load_samples(recording, features=table, hrf=[1, 2]).stimulus_shape == (2, 4, 6)
    assert load_samples(recording, features="trial_type").stimuli.shape[1] == 1


def test_names_agree_by_what_they_mean(changed, table):
    """Runs numbered 1 and 01, events for all runs of a task; an uncompressed image with an axis more and
    not-a-number outside the mask, and another system's file beside it.
    """
    func = changed / "derivatives" / "fmriprep" / "sub-01" / "ses-02" / "func"
    for path in func.iterdir():
        path.rename(func / path.name.replace("run-0", "run-"))
    expected = load_samples(find(changed), features=table, **CLEAN)
    run = changed / f"{FUNC}-preproc_bold.nii.gz"
    mask = nibabel.load(changed / f"{FUNC}-brain_mask.nii.gz").get_fdata()[..., np.newaxis] > 0
    rewrite(run, lambda values: np.where(mask, values, np.nan)[..., np.newaxis])
    nibabel.load(run).to_filename(run.with_suffix(""))
    run.unlink()
    (run.parent / f"._{run.name}").write_bytes(b"of another system")
    np.testing.assert_array_equal(load_samples(find(changed), features=table, **CLEAN).responses, expected.responses)
    events = [pd.read_csv(path, sep="\t") for path in sorted(changed.glob("sub-01/**/*_events.tsv"))]
    for path in changed.glob("sub-01/ses-01/func/*_events.tsv"):
        path.unlink()
    events[0].to_csv(changed / "task-images_events.tsv", sep="\t", index=False)
    found = find(changed).events["random"]
    assert [len(table) for table in found] == [len(events[0])] * 3 + [len(table) for table in events[3:]]


def test_volumes_that_the_head_spoiled_are_scrubbed(changed, table):
    """By nilearn, from what fMRIPrep measured; those before the steady state go with them."""
    (path,) = (changed / f"{FUNC}").parent.glob("*run-02_desc-confounds_timeseries.tsv")
    for each in changed.glob("derivatives/**/*_desc-confounds_timeseries.tsv"):
        measured = pd.read_csv(each, sep="\t").assign(std_dvars=1.0, framewise_displacement=0.1)
        measured.loc[30:33, "framewise_displacement"] = 2.0 if each == path else 0.1
        measured.to_csv(each, sep="\t", index=False, na_rep="n/a")
    options = {"strategy": ("motion", "scrub"), "motion": "basic", "scrub": 0}
    samples = load_samples(find(changed), features=table, confounds=options)
    assert samples.report["dropped"].tolist() == [2, 6, 2, 2, 2, 2] and set(samples.report["confounds"]) == {6}


def test_the_time_within_a_volume_is_fmripreps(changed, table):
    """Half a volume where nothing tells; else what slices were moved to; the header's time where no file tells one."""
    assert find(changed).timing["random"] == [(2.0, 0.5)] * 6
    (changed / f"{FUNC}-preproc_bold.json").write_text(json.dumps({"RepetitionTime": 2.0, "StartTime": 0.2}))
    (changed / "task-images_bold.json").unlink()
    assert find(changed).timing["random"] == [(2.0, 0.5), (2.0, 0.1)] + [(2.0, 0.5)] * 4
    with pytest.raises(RecordingError, match="not JSON"):
        (changed / f"{FUNC}-preproc_bold.json").write_text("{")
        find(changed)


def test_derivatives_may_lie_elsewhere(changed, tmp_path):
    moved = (changed / "derivatives" / "fmriprep").rename(tmp_path / "fmriprep")
    assert find(changed, derivatives=moved).func["random"][0].is_relative_to(moved)
    with pytest.raises(RecordingError, match=r'no subject "01"; found none.*derivatives'):
        find(changed)


def without(pattern):
    return lambda folder: [path.unlink() for path in folder.glob(pattern)]


def twice(folder):
    shutil.copy(
        folder / f"{FUNC}-preproc_bold.nii.gz", folder / f"{FUNC.replace('_desc', '_res-2_desc')}-preproc_bold.nii.gz"
    )


def untimed(folder):
    (folder / "task-images_bold.json").write_text(json.dumps({"RepetitionTime": "2 s"}))


FAULTS = {
    "events": (without("sub-01/ses-01/func/*run-02_events.tsv"), r"run-02.*: without events"),
    "mask": (without(f"{FUNC}-brain_mask*"), r"run-02_space.*: without a mask"),
    "grid": (lambda folder: rewrite(folder / f"{FUNC}-preproc_bold.nii.gz", lambda v: v[1:]), r"run-02.*grid of \(9,"),
    "two": (twice, r"run-02.*of the same run as.*res-2"),
    "time": (untimed, "volume to volume is 2 s"),
    "header": (
        lambda folder: next(folder.glob("sub-01/ses-01/func/*02_events.tsv")).write_text("a\tb\n1\t2\n"),
        "no.*table of events",
    ),
}


def test_all_faults_of_names_and_headers_are_told_at_once(changed):
    for name, (spoil, said) in FAULTS.items():
        copy = shutil.copytree(changed, changed.with_name(name))
        spoil(copy)
        with pytest.raises(RecordingError, match=said):
            find(copy)
    for name in ("mask", "events"):
        FAULTS[name][0](changed)
    with pytest.raises(RecordingError, match=r"(?s)without a mask.*without events|without events.*without a mask"):
        find(changed)


def test_what_is_not_there_is_told_with_what_is(made):
    for arguments, said in [
        (("03", "images", SPACE), 'no subject "03"; found 01, 02'),
        (("01", "faces", SPACE), "found tasks images"),
        (("01", "images", "T1w"), f"found tasks images, spaces {SPACE}"),
    ]:
        with pytest.raises(RecordingError, match=said):
            bids_recording(made[0], *arguments)
    with pytest.raises(RecordingError, match=r"BIDS.*bids_recording"):
        load_recording(made[0])
    with pytest.raises(RecordingError, match="has events, and no label"):
        load_run_stimuli(find(made[0]))


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (dict(features=None), "features: .*has events; expected"),
        (dict(features=[1, 2]), "features: a list; expected a DataFrame"),
        (dict(features="faces"), 'events.tsv: events: no column "faces"; they have onset'),
        (dict(confounds="motion"), r"expected several names, such as \('motion',\)"),
        (dict(confounds=("movement",)), "no confounds as asked.*movement"),
        (dict(confounds=("global_signal",)), "bold.nii.gz: no confounds as asked.*global_signal"),
        (dict(drop_volumes=-1), "drop_volumes=-1: expected a whole number"),
        (dict(drop_volumes=60), "of 84 volumes would be left"),
        (dict(drop_volumes="first"), "drop_volumes='first'"),
        (dict(high_pass=0), "high_pass=0: expected a number above 0"),
        (dict(smoothing="5 mm"), "smoothing='5 mm'"),
        (dict(hrf="fir"), "^hrf='fir'"),
        (dict(kind="figure"), 'no runs of kind "figure"'),
    ],
)
def test_arguments_that_do_not_fit_are_refused_before_volumes_are_read(made, table, monkeypatch, options, said):
    monkeypatch.setattr("voxelwise.data.samples.read_run", None)
    with pytest.raises(ValueError, match=said):
        load_samples(find(made[0]), **(dict(features=table, confounds=("motion",)) | options))


def test_events_that_cannot_be_counted_are_told_with_their_file(made, table):
    recording = find(made[0])
    recording.events["random"][1].loc[3, "duration"] = np.nan
    with pytest.raises(RecordingError, match=r"ses-01_task-images_run-02_events.tsv: events: row 3 .*duration nan"):
        load_samples(recording, features=table)
    recording.events["random"][1].loc[3, "stim_file"] = np.nan
    report = load_samples(recording, features=table).report
    assert (report["events"] - report["shown"]).tolist() == [0, 1, 0, 0, 0, 0]


def test_a_folder_of_links_holds_the_share_of_each_volume(made, table, tmp_path):
    """Of pictures for a second, at any millisecond; the check warns of the first volumes."""
    recording = find(made[0])
    folder = link_folder(recording, table, tmp_path / "linked")
    linked = load_recording(folder, stimulus_shape=(4, 6))
    stimuli = load_samples(linked, lag=0).stimuli
    covered = load_samples(recording, features=table, hrf=None).stimuli
    on = load_samples(recording, features=table * 0 + 1, hrf=None).stimuli
    np.testing.assert_allclose(stimuli, np.where(on < 0.01, -1, covered - np.maximum(1 - on, 0)), atol=1e-5)
    assert [text.split("the first")[1][:10] for text in check_folder(folder, (4, 6)).warnings[:1]] == [" 2 volumes"]
    with pytest.raises(FileExistsError):
        link_folder(recording, table, folder)


def test_labels_are_cleaned_too(small_folder):
    """Of a folder without events: volumes dropped, slow changes taken out of both sides."""
    recording = load_recording(small_folder)
    plain, samples = load_samples(recording, lag=2), load_samples(recording, lag=2, drop_volumes=5)
    np.testing.assert_array_equal(np.bincount(samples.runs), np.bincount(plain.runs) - 3)
    np.testing.assert_array_equal(samples.stimuli[samples.runs == 1], plain.stimuli[plain.runs == 1][3:])
    assert samples.report["dropped"].tolist() == [5] * 4
    slow = load_samples(recording, lag=0, high_pass=0.025)
    cosine = np.cos(np.pi / 30 * (np.arange(30) + 0.5))
    for matrix in (slow.stimuli, slow.responses):
        assert abs(cosine @ matrix[:30]).max() < 1e-3
    with pytest.raises(RecordingError, match=r"run1.nii.gz: the time from volume to volume is 0 s"):
        path = recording.func["random"][0]
        image = nibabel.load(path)
        image.header["pixdim"][4] = 0
        nibabel.Nifti1Image(image.get_fdata(), image.affine, image.header).to_filename(path)
        load_samples(recording, high_pass=0.01)
    for options in (dict(features="trial_type"), dict(confounds=("motion",)), dict(drop_volumes="non_steady_state")):
        with pytest.raises(ValueError, match=f"{next(iter(options))}"):
            load_samples(recording, **options)
