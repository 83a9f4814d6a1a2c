"""Where a recording is looked for, which of its files belong together, and what is said when one is not there."""

import gzip

import nibabel
import numpy as np
import pytest

from tests.plain import rewrite
from voxelwise import RecordingError, check_folder, load_recording, load_samples


def rename(folder, runs, labels):
    """Give files other names, in their order, as many as there are."""
    for name, names in (("func", runs), ("label", labels)):
        old = (folder / name).rename(folder / f"old {name}")
        (folder / name).mkdir()
        for path, new in zip(sorted(old.iterdir()), names.split(), strict=False):
            path.rename(folder / name / path.name.replace(path.name.partition(".")[0], new))


def test_a_named_recording(recording):
    assert (len(recording.rois), len(recording.truth), recording.degrees_per_pixel) == (38, 5438, 1.15)
    with pytest.raises(ValueError, match=r"stimulus_shape=\(20, 5\).*\(10, 10\)"):
        load_recording("simulated", stimulus_shape=(20, 5))
    with pytest.raises(RecordingError, match=r'"miyawaki2009".*"simulated", "miyawaki2008".*folder'):
        load_recording("miyawaki2009")
    # The simulated files stand in for the real ones: where all are there, nothing is fetched.
    found = load_recording("miyawaki2008", data_dir=recording.folder.parent)
    assert (found.truth, found.degrees_per_pixel, found.func) == (None, 1.15, recording.func)


def test_a_folder_of_ones_own(small_folder, monkeypatch):
    """From the home folder; with the name of another recording, from which it is told."""
    monkeypatch.setenv("HOME", str(small_folder.parent))
    found = load_recording("~/mine")
    assert (found.name, found.folder, found.background, found.rois) == ("mine", small_folder, None, {})
    assert found.degrees_per_pixel is None
    monkeypatch.undo()
    monkeypatch.chdir(small_folder.parent)
    found = load_recording(small_folder.rename("simulated"))
    assert (found.name, found.truth, found.folder.parent) == ("simulated (folder)", None, small_folder.parent)
    assert load_recording("simulated").name == "simulated"


def test_kinds_come_from_the_names_of_the_volumes_and_run_2_before_run_10(small_folder):
    rename(small_folder, "data_faces_run10 data_faces_run2 run3 run12", "run10 run2 run3 run12")
    found = load_recording(str(small_folder)).label
    names = {kind: [path.name for path in paths] for kind, paths in found.items()}
    assert names == {"faces": ["run2.csv", "run10.csv"], "random": ["run3.csv", "run12.csv"]}


@pytest.mark.parametrize(
    ("runs", "labels", "not_clear"),
    [
        ("ses-1_run-1 ses-1_run-2 ses-2_run-1", "run-01_ses-01 run-02_ses-01 run-01_ses-02", ""),
        ("s1_run-1 s1_run-2 s1_run-3", "2024-03-09_run1 2024-01-30_run2 2024-02-11_run3", ""),
        ("task-a_bold task-b_bold", "task-a_events task-b_events", ""),
        ("run3_echo-2 run12_echo-2", "stim_03 stim_12", ""),
        ("²1 ²2", "first second", ""),
        ("run1 run2 run4 run5", "run1 run2 run3 run4", "run5.nii.gz, run3.csv"),
        ("sub-1_run-1 sub-1_run-2", "sub-2_run-1 sub-2_run-2", "sub-1_run-1.nii.gz, .*"),
        ("run-1", "run-2", "run-1.nii.gz, run-2.csv"),
    ],
)
def test_names_pair_runs_and_labels_or_are_a_fault(small_folder, runs, labels, not_clear):
    rename(small_folder, runs, labels)
    if not_clear:
        with pytest.raises(RecordingError, match=rf"which belong together; not clear: {not_clear}\. Give both"):
            load_recording(small_folder)
    else:
        (found,) = load_recording(small_folder).label.values()
        assert [path.stem for path in found] == labels.split()


def test_what_other_programs_write_is_taken(small_folder):
    """Not compressed; axes of length 1; hidden files; an affine that differs by rounding; NaN outside a mask."""
    expected, mask = load_samples(load_recording(small_folder)), small_folder / "mask" / "mask.nii.gz"
    affine = nibabel.load(mask).affine
    rewrite(mask, lambda values: np.where(values > 0, 255, np.nan)[..., np.newaxis])
    for name in ("mask/mask.nii", "mask/V1.nii", "bg.nii"):
        (small_folder / name).write_bytes(gzip.decompress(mask.read_bytes()))
    mask.unlink()
    affine[0, 3] += 0.02  # mm, of 2
    for path in (small_folder / "func").iterdir():
        rewrite(path, lambda values: values[..., np.newaxis], affine)
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    for name in ("func/._run1.nii", "label/._run1.csv", "mask/._V1.nii.gz", "._bg.nii.gz"):
        (small_folder / name).write_bytes(b"of another system")
    assert check_folder(small_folder).faults == []
    recording = load_recording(small_folder)
    assert recording.rois == {"V1": small_folder / "mask" / "V1.nii"} and recording.background.name == "bg.nii"
    np.testing.assert_array_equal(load_samples(recording).responses, expected.responses)
