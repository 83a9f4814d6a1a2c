"""Faults put into a good folder: each is named by ``check`` with its file, and stops the loader in the same words."""

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
