"""Where a recording is looked for, which of its files belong together, and what check and the loader say of faults."""

import gzip
import io
import os
import re
import sys

import nibabel
import numpy as np
import pytest

from tests.plain import rewrite
from voxelwise import RecordingError, check_folder, load_recording, load_samples, regions_of_interest
from voxelwise.__main__ import main


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
    names = {kind: [path.name for path in paths] for kind, paths in load_recording(str(small_folder)).label.items()}
    assert names == {"faces": ["run2.csv", "run10.csv"], "random": ["run3.csv", "run12.csv"]}


@pytest.mark.parametrize(
    ("runs", "labels", "not_clear"),
    [
        ("ses-1_run-1 ses-1_run-2 ses-2_run-1", "run-01_ses-01 run-02_ses-01 run-01_ses-02", ""),
        ("s1_run-1 s1_run-2 s1_run-3", "2024-03-09_run1 2024-01-30_run2 2024-02-11_run3", ""),
        ("task-a_bold task-b_bold", "task-a_events task-b_events", ""),
        ("run3_echo-2 run12_echo-2", "stim_03 stim_12", ""),
        ("²1 ²2", "first second", "²1.nii.gz, .*"),
        ("run1 run2 run4 run5", "run1 run2 run3 run4", "run5.nii.gz, run3.csv"),
        ("sub-1_run-1 sub-1_run-2", "sub-2_run-1 sub-2_run-2", "sub-1_run-1.nii.gz, .*"),
        ("run-1", "run-2", "run-1.nii.gz, run-2.csv"),
        ("during post pre", "before during post", "during.nii.gz, .*"),
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


SHIFTED = nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 2.5]), [1, 0, 0])


def image(change=lambda values: values, affine=None):
    return lambda path: rewrite(path, change, affine)


def text(change):
    return lambda path: path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n")


def pixels(n):
    return text(lambda rows: [",".join(row.split(",")[:n]) for row in rows])


def fifth_row(new):
    return text(lambda rows: [*rows[:4], new, *rows[5:]])


def not_a_number(values):
    values[(*np.argwhere(values[..., 0])[0], 3)] = np.nan
    return values


#: Name of the fault -> file that it is put into, how, and what must be said of that file or of the folder.
FAULTS = {
    "label file missing": ("label/run2.csv", os.unlink, r"found 4 runs .* 3 files .*partner: run2.nii.gz"),
    "mask missing": ("mask/mask.nii.gz", os.unlink, r"no mask/mask.nii.gz"),
    "mask empty": ("mask/mask.nii.gz", image(np.zeros_like), r"empty mask"),
    "mask of shares": ("mask/mask.nii.gz", image(lambda v: v * (1 + np.arange(4)) / 4), r"values from 0.25 to 1"),
    "a volume short": ("func/run3.nii.gz", image(lambda v: v[..., 1:]), r"35 volumes; expected 36, .* in .*run3.csv"),
    "another shape": ("label/run2.csv", pixels(9), r"different shape|images of \(3, 3\).*\(4, 4\)"),
    "a word": ("label/run4.csv", fifth_row("a," * 15 + "1"), r"row 5, column 1 holds 'a'"),
    "no plain number": ("label/run4.csv", fifth_row("0x1A,1_0,١,nan" + ",1" * 12), r"row 5, column 1 holds '0x1A'"),
    "a row short": ("label/run4.csv", fifth_row("1,1"), r"row 5, column 3 holds nan"),
    "an index column": ("label/run1.csv", text(lambda r: [f"{n},{row}" for n, row in enumerate(r)]), r"first column"),
    "almost rest": ("label/run2.csv", fifth_row("-0.9999" + ",-0.9999" * 15), r"row 5 is almost -1"),
    "another grid": ("func/run1.nii.gz", image(lambda v: v[:-1]), r"grid of \(5, 5, 4\).*\(6, 5, 4\)"),
    "half a voxel off": ("func/run1.nii.gz", image(affine=SHIFTED), r"affine differs .* up to 1,"),
    "three dimensions": ("func/run1.nii.gz", image(lambda v: v[..., 0]), r"3 dimensions .* 4"),
    "NaN": ("func/run3.nii.gz", image(not_a_number), r"finite in 1 voxels .* volume 4"),
    "two of one name": ("func/run4.nii", lambda path: path.touch(), r"found 5 runs .* 4 files .*partner: run4.nii"),
    "two masks": ("mask/mask.nii", lambda path: path.touch(), r"mask.nii and mask.nii.gz have one name"),
    "two backgrounds": ("bg.nii", lambda path: path.touch(), r"bg.nii and bg.nii.gz have one name"),
    "region elsewhere": ("mask/V1.nii.gz", image(affine=np.eye(4)), r"affine differs"),
    "background damaged": ("bg.nii.gz", lambda path: path.write_bytes(b"short"), r"not a NIfTI file"),
}


@pytest.fixture
def folder(small_folder):
    mask = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    mask.to_filename(small_folder / "mask" / "V1.nii.gz")
    mask.to_filename(small_folder / "bg.nii.gz")
    return small_folder


def put(folder, name):
    """Put a fault into its file; return what must be said."""
    path, fault, said = FAULTS[name]
    fault(folder / path)
    return rf"({re.escape(path)}|mine): .*({said})"


@pytest.mark.parametrize("names", [*FAULTS, "mask missing, label file missing", "a row short, three dimensions"])
def test_each_fault_is_named_with_its_file_and_stops_the_loader(folder, names):
    wanted = [put(folder, name) for name in names.split(", ")]
    faults = check_folder(folder).faults
    assert all(any(re.search(said, fault) for fault in faults) for said in wanted), faults
    with pytest.raises(RecordingError, match="|".join(wanted)):
        found = load_recording(folder)
        load_samples(found)
        regions_of_interest(found.rois, nibabel.load(found.mask))


def test_what_may_be_meant_is_no_fault(folder):
    """A voxel that does not change, volumes before the steady state, pixels of -1."""
    report, inside = check_folder(folder), tuple(np.argwhere(nibabel.load(folder / "mask/mask.nii.gz").get_fdata())[5])
    assert report.runs[1] == ("run2.nii.gz", "random", "run2.csv", 24, 5)
    for said in ("4 x 4 = 16 pixels", "6 x 5 x 4 voxels of 2 x 2 x 2.5 mm", "50 voxels, 0 of", "No fault found."):
        assert said in str(report)

    def still(values):
        values[inside] = 1000.3
        return values

    for number, said in enumerate(["0 of which never change, 1 more do not", "0 of", "0 of", "1 of which"], start=1):
        rewrite(folder / "func" / f"run{number}.nii.gz", still)
        report = check_folder(folder)
        assert said in str(report) and report.faults == report.warnings == []
    assert load_samples(load_recording(folder)).dead_runs.tolist() == [0] * 5 + [4] + [0] * 44
    rewrite(folder / "func" / "run2.nii.gz", lambda v: v * ([1.4, 1.08] + [1] * 22))
    fifth_row(",".join(["-1", "1"] * 8))(folder / "label" / "run4.csv")
    unsteady, black = check_folder(folder).warnings
    assert re.search("run2.*first 2 volumes", unsteady) and re.search("run4.csv: pixels of -1", black)


def test_what_only_the_chapters_refuse_is_told(folder):
    for path in (*folder.glob("*/run1.*"), *folder.glob("*/run2.*")):
        path.rename(path.with_name(f"data_faces_{path.name}"))
    rewrite(folder / "func" / "run3.nii.gz", lambda values: values[..., :3])
    text(lambda rows: rows[:3])(folder / "label" / "run3.csv")
    short, few = check_folder(folder).faults
    assert re.search("run3.nii.gz: 3 volumes; .* at least 4", short)
    assert re.search('2 runs of the kind "random".*at least 3', few)


def test_stimuli_that_are_not_square_need_their_shape(folder):
    for path in (folder / "label").iterdir():
        pixels(12)(path)
    assert all("stimulus_shape" in fault for fault in check_folder(folder).faults)
    assert check_folder(folder, stimulus_shape=(4, 3)).faults == []
    with pytest.raises(ValueError, match=r"stimulus_shape=.*expected the rows and columns"):
        load_recording(folder, stimulus_shape=(-4, -3))


def test_the_command_prints_a_table_and_exits_with_the_verdict(folder, monkeypatch, capsys):
    """On a terminal that cannot show every name of a folder."""
    folder = folder.rename(folder.with_name("möin {0}"))
    put(folder, "region elsewhere")
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    for columns, code in (("4", 1), ("0", 2)):
        monkeypatch.setattr(sys, "argv", ["voxelwise", "check", str(folder), "--stimulus-shape", "4", columns])
        with pytest.raises(SystemExit, match=str(code)):
            main()
    sys.stdout.flush()
    assert re.search(r"1 fault:\n- .*m\\xf6in \{0\}/mask/V1.nii", sys.stdout.buffer.getvalue().decode())
    assert "expected the rows and columns" in capsys.readouterr().err
