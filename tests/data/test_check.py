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
    "label file missing": ("label/run2.csv", os.unlink, r"4 runs .* 3 files .*not clear: run2.nii.gz"),
    "mask empty": ("mask/mask.nii.gz", image(np.zeros_like), r"empty mask"),
    "mask of shares": ("mask/mask.nii.gz", image(lambda v: v * (1 + np.arange(4)) / 4), r"values from 0.25 to 1"),
    "a volume short": ("func/run3.nii.gz", image(lambda v: v[..., 1:]), r"35 volumes; expected 36, .* in .*run3.csv"),
    "another shape": ("label/run2.csv", pixels(9), r"different shape|images of \(3, 3\).*\(4, 4\)"),
    "a word": ("label/run4.csv", fifth_row("a," * 15 + "1"), r"not a table of .*row 5: .*'a'"),
    "no plain number": ("label/run4.csv", fifth_row("0x1A,1_0,١,nan" + ",1" * 12), r"not a table of .*row 5"),
    "a row short": ("label/run4.csv", fifth_row("1,1"), r"row 5: .* changed from 16 to 2"),
    "an index column": ("label/run1.csv", text(lambda r: [f"{n},{row}" for n, row in enumerate(r)]), r"first column"),
    "almost rest": ("label/run2.csv", fifth_row("-0.9999" + ",-0.9999" * 15), r"row 5 is almost -1"),
    "another grid": ("func/run1.nii.gz", image(lambda v: v[:-1]), r"grid of \(5, 5, 4\).*\(6, 5, 4\)"),
    "half a voxel off": ("func/run1.nii.gz", image(affine=SHIFTED), r"affine differs .* up to 1,"),
    "three dimensions": ("func/run1.nii.gz", image(lambda v: v[..., 0]), r"3 dimensions .* 4"),
    "NaN": ("func/run3.nii.gz", image(not_a_number), r"finite in 1 voxels .* volume 4"),
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


@pytest.mark.parametrize("names", [*FAULTS, "NaN, a word", "mask empty, three dimensions"])
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
