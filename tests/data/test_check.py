"""Faults put into a good folder: each is named by ``check`` with its file, and stops the loader in the same words."""

import io
import os
import re
import sys

import nibabel
import numpy as np
import pytest

from tests.plain import rewrite
from voxelwise import (
    RecordingError,
    bids_recording,
    check_folder,
    load_recording,
    load_samples,
    regions_of_interest,
)
from voxelwise.__main__ import main
from voxelwise.simulation.bids import SPACE, simulated_bids

SHIFTED = nibabel.affines.from_matvec(np.diag([-2.0, 2.0, 2.5]), [1, 0, 0])


def image(change=lambda values: values, affine=None):
    return lambda path: rewrite(path, change, affine)


def text(change):
    """A fault: a text with changed lines."""
    return lambda path: path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n")


def pixels(n):
    return text(lambda rows: [",".join(row.split(",")[:n]) for row in rows])


def not_a_number(values):
    """In one voxel of the mask, and one volume."""
    values[(*np.argwhere(values[..., 0])[0], 3)] = np.nan
    return values


#: Name of the fault -> file that it is put into, how, and what must be said of that file or of the folder.
FAULTS = {
    "label file missing": ("label/run2.csv", os.unlink, r"4 runs .* 3 files .*partner: run2.nii.gz"),
    "mask missing": ("mask/mask.nii.gz", os.unlink, r"no mask/mask.nii.gz"),
    "mask empty": ("mask/mask.nii.gz", image(np.zeros_like), r"empty mask"),
    "mask infinite": ("mask/mask.nii.gz", image(lambda v: np.where(v > 0, np.inf, 0)), r"values from inf to inf"),
    "mask of shares": ("mask/mask.nii.gz", image(lambda v: v * (1 + np.arange(4)) / 4), r"values from 0.25 to 1"),
    "a volume short": ("func/run3.nii.gz", image(lambda v: v[..., 1:]), r"35 volumes; expected 36, .* in .*run3.csv"),
    "a pixel short": ("label/run1.csv", pixels(15), r"15 pixels a row, which is no square"),
    "another shape": ("label/run2.csv", pixels(9), r"different shape|images of \(3, 3\).*\(4, 4\)"),
    "a word": ("label/run4.csv", text(lambda rows: [rows[0], "a" + rows[1][1:]]), r"not a table of .*row 2 holds 'a"),
    "a row short": ("label/run4.csv", text(lambda rows: [*rows[:4], "1,1"]), r"row 5 has 2 values, the first has 16"),
    "an infinite pixel": ("label/run4.csv", text(lambda rows: [*rows[:4], "inf," * 15 + "1"]), r"row 5 .*finite"),
    "an index column": (
        "label/run1.csv",
        text(lambda rows: [f"{n},{r}" for n, r in enumerate(rows)]),
        r"first column counts",
    ),
    "a header": ("label/run1.csv", text(lambda rows: [",".join(map(str, range(16))), *rows[1:]]), r"first row counts"),
    "almost rest": (
        "label/run2.csv",
        text(lambda rows: [*rows[:4], ",".join(["-0.9999"] * 16)]),
        r"row 5 is almost -1",
    ),
    "labels empty": ("label/run1.csv", lambda path: path.write_text(""), r"empty"),
    "another grid": ("func/run1.nii.gz", image(lambda v: v[:-1]), r"grid of \(5, 5, 4\).*\(6, 5, 4\)"),
    "half a voxel off": ("func/run1.nii.gz", image(affine=SHIFTED), r"affine differs .* up to 1,"),
    "three dimensions": ("func/run1.nii.gz", image(lambda v: v[..., 0]), r"3 dimensions .* 4"),
    "NaN": ("func/run3.nii.gz", image(not_a_number), r"finite in 1 voxels .* volume 4"),
    "two of one name": ("func/run4.nii", lambda path: path.touch(), r"run4.nii and run4.nii.gz have one name"),
    "region elsewhere": ("mask/V1.nii.gz", image(affine=np.eye(4)), r"affine differs"),
    "region cut off": ("mask/V1.nii.gz", lambda path: path.write_bytes(path.read_bytes()[:-4]), r"cut off|not a NIfTI"),
    "background damaged": ("bg.nii.gz", lambda path: path.write_bytes(bytes(9)), r"not a NIfTI file"),
}


@pytest.fixture
def folder(small_folder):
    """A good folder, with a region and a background."""
    mask = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    mask.to_filename(small_folder / "mask" / "V1.nii.gz")
    mask.to_filename(small_folder / "bg.nii.gz")
    return small_folder


def put(folder, name):
    """Put a fault into its file; return what must be said."""
    path, fault, said = FAULTS[name]
    fault(folder / path)
    return rf"({re.escape(path)}|mine): .*({said})"


def test_a_good_folder_has_no_fault(folder):
    report = check_folder(folder)
    assert report.faults == [] and str(report).endswith("No fault found.")
    assert report.runs[1:3] == [
        ("run2.nii.gz", "random", "run2.csv", 24, 5),
        ("run3.nii.gz", "random", "run3.csv", 36, 7),
    ]
    n_voxels = load_samples(load_recording(folder)).responses.shape[1]
    for said in ("4 x 4 = 16 pixels", "6 x 5 x 4 voxels of 2 x 2 x 2.5 mm", f"{n_voxels} voxels, 0 of", "bg.nii.gz"):
        assert said in str(report)


@pytest.mark.parametrize(
    "names", [*FAULTS, "NaN, a word", "mask missing, three dimensions", "a volume short, region elsewhere"]
)
def test_each_fault_is_named_with_its_file_and_stops_the_loader(folder, names):
    wanted = [put(folder, name) for name in names.split(", ")]
    faults = check_folder(folder).faults
    assert all(any(re.search(said, fault) for fault in faults) for said in wanted), faults
    with pytest.raises(RecordingError, match="|".join(wanted)):
        found = load_recording(folder)
        load_samples(found)
        regions_of_interest(found.rois, nibabel.load(found.mask))


def test_voxels_that_do_not_change_are_counted_and_no_fault(folder):
    mask = np.argwhere(nibabel.load(folder / "mask" / "mask.nii.gz").get_fdata())

    def still(values):
        values[tuple(mask[5])] = 1000.3
        return values

    said = (*["0 of which never change, 1 more do not change in some runs"] * 3, "1 of which never change\n")
    for number, (path, expected) in enumerate(zip(sorted((folder / "func").iterdir()), said, strict=True), start=1):
        rewrite(path, still)
        report = check_folder(folder)
        assert report.faults == [] and expected in str(report)
        samples = load_samples(load_recording(folder))
        assert samples.dead_runs.tolist() == [number * (column == 5) for column in range(len(mask))]


def test_what_may_be_meant_is_a_warning(folder):
    """Volumes before the steady state, by how much they are brighter; pixels from -1 to 1."""
    for number, bright in (("run2", [1.4, 1.08]), ("run3", [1.2])):
        rewrite(folder / "func" / f"{number}.nii.gz", lambda v, b=bright: v * ([*b] + [1] * (v.shape[3] - len(b))))
    text(lambda rows: [row if set(row) == set("-1,") else row.replace("0", "-1") for row in rows])(
        folder / "label/run4.csv"
    )
    report = check_folder(folder)
    assert report.faults == [] and [len(load_samples(load_recording(folder)).run_rows)] == [4]
    for warning, said in zip(
        report.warnings, ("run2.*first 2 volumes", "run3.*first 1 volumes", "run4.csv: pixels of -1"), strict=True
    ):
        assert re.search(said, warning)
    assert re.search(r"3 warnings:\n- .*run2(.*\n)+No fault found.", str(report))


def test_a_bids_data_set_is_known_by_its_looks(tmp_path, monkeypatch, capsys):
    """A row for each subject, task and space, and the faults of all; on the command line too."""
    simulated_bids(tmp_path, np.random.default_rng(0))
    report = check_folder(tmp_path)
    assert report.faults == report.warnings == [] and report.header[3:5] == ("runs", "volumes")
    samples = load_samples(bids_recording(tmp_path, "02", "images", SPACE), features="trial_type")
    row = dict(zip(report.header, report.runs[1], strict=True))
    expected = dict(subject="02", task="images", space=SPACE, runs=6, volumes=len(samples.runs), unsteady=12)
    expected |= dict(events=samples.report["events"].sum(), voxels=samples.responses.shape[1])
    assert row.items() >= expected.items() and row["lost"] == 2 * samples.report["lost"].iloc[0]
    moved = (tmp_path / "derivatives" / "fmriprep").rename(tmp_path / "elsewhere")
    assert "no runs in it; expected what fMRIPrep wrote" in str(check_folder(tmp_path))
    assert check_folder(tmp_path, derivatives=moved).runs == report.runs
    for path in moved.glob("sub-01/ses-01/func/*run-01*_desc-brain_mask.nii.gz"):
        path.unlink()
    for path in moved.glob("sub-02/ses-01/func/*run-01_desc-confounds*"):
        path.unlink()
    monkeypatch.setattr(sys, "argv", ["voxelwise", "check", str(tmp_path), "--derivatives", str(moved)])
    with pytest.raises(SystemExit, match="1"):
        main()
    said = capsys.readouterr().out
    assert re.search(r"02 +images +MNI\w+ +6 +\d+ +\d+ +\? ", said) and re.search(
        r"1 fault:\n- .*run-01.*without a mask", said
    )
    assert re.search(r"1 warning:\n- .*sub-02.*no confounds", said)


def test_what_only_the_chapters_refuse_is_told(folder):
    """A run that is too short; too few runs that are not of other kinds."""
    for name, ending in (("func", ".nii.gz"), ("label", ".csv")):
        for number in (1, 2):
            (folder / name / f"run{number}{ending}").rename(folder / name / f"data_faces_run{number}{ending}")
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
    assert "expected 10, 5 rows of 2" in str(check_folder(folder, stimulus_shape=(5, 2)))
    assert load_samples(load_recording(folder, stimulus_shape=[4, 3])).stimulus_shape == (4, 3)
    for shape in (48, (4.0, 3.0), (4, 3, 1), (-4, -3), "43"):
        for function in (check_folder, load_recording):
            with pytest.raises(ValueError, match=r"stimulus_shape=.*expected the rows and columns"):
                function(folder, stimulus_shape=shape)


@pytest.mark.parametrize(
    ("name", "shape", "code", "said"),
    [
        (
            "möin {0}",
            "4 4",
            1,
            r"run2.nii.gz +random +run2.csv +24 +5\n(.*\n)+1 fault:\n- .*m\\xf6in \{0\}/mask/V1.nii",
        ),
        ("mine", "4 4", 0, "run3.nii.gz(.*\n)+No fault found.\n"),
        ("mine", "4 0", 2, "^$"),
    ],
)
def test_the_command_prints_a_table_and_exits_with_the_verdict(folder, monkeypatch, capsys, name, shape, code, said):
    """On a terminal that cannot show every name of a folder."""
    folder = folder.rename(folder.with_name(name))
    if code == 1:
        put(folder, "region elsewhere")
    monkeypatch.setattr(sys, "argv", ["voxelwise", "check", str(folder), "--stimulus-shape", *shape.split()])
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    with pytest.raises(SystemExit) as ended:
        main()
    sys.stdout.flush()
    assert ended.value.code == code and re.search(said, sys.stdout.buffer.getvalue().decode())
    assert ("expected the rows and columns" if code == 2 else "") in capsys.readouterr().err
