"""What the book leaves for use outside it, against the arrays that it comes from."""

import dataclasses
import json

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine

from voxelwise import cross_validate_ridge, fit_receptive_fields, grid_positions, load_recording, load_samples, results
from voxelwise.results import write_results
from voxelwise.simulation.cortex import MARKED_COLUMNS

SETTINGS = dict(lag=0, alpha=10.0, n_splits=4, max_iter=6)
NAMES = ["fields.nii.gz", "scores.nii.gz", "voxels.json", "voxels.tsv"]
CONSTANT = 3  # column of a voxel that never changes
FIELD_COLUMNS = ["field_row", "field_column", "field_peak_row", "field_peak_column", "field_weight", "field_pixels"]


@pytest.fixture
def mine(small_folder):
    """A small recording with two regions, one of them named like a coordinate, and a constant voxel."""
    mask_img = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    for name, inside in (("front", slice(3, None)), ("x", slice(1))):
        region = np.zeros(mask_img.shape, dtype=np.uint8)
        region[:, inside] = 1
        nibabel.Nifti1Image(region, mask_img.affine).to_filename(small_folder / "mask" / f"{name}.nii.gz")
    for path in (small_folder / "func").glob("*.nii.gz"):
        volumes = nibabel.load(path).get_fdata(dtype=np.float32)
        volumes[tuple(grid_positions(mask_img)[CONSTANT])] = 64
        nibabel.Nifti1Image(volumes, mask_img.affine).to_filename(path)
    return load_recording(small_folder)


@pytest.fixture
def pairs(mine):
    """Its samples, loaded as ``SETTINGS`` say."""
    return load_samples(mine, lag=SETTINGS["lag"])


@pytest.fixture
def fold_scores(pairs):
    """Scores of its folds."""
    return cross_validate_ridge(pairs, alpha=SETTINGS["alpha"], cv=SETTINGS["n_splits"])


@pytest.fixture
def folder(tmp_path, mine, pairs):
    """The results of the small recording."""
    write_results(tmp_path / "results", mine, pairs, **SETTINGS)
    return tmp_path / "results"


def read_table(folder):
    return pd.read_csv(folder / "voxels.tsv", sep="\t")


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_scores_and_places_in_the_table(folder, pairs, fold_scores):
    table = read_table(folder)
    positions = grid_positions(pairs.mask_img)
    np.testing.assert_array_equal(table["column"], np.arange(len(positions)))
    np.testing.assert_array_equal(table[["i", "j", "k"]], positions)
    np.testing.assert_allclose(table[["x", "y", "z"]], apply_affine(pairs.mask_img.affine, positions))
    np.testing.assert_allclose(table["r2"], fold_scores.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(table["r2_sd"], fold_scores.std(axis=0, ddof=1), rtol=1e-5)
    assert np.flatnonzero(table["constant"]).tolist() == [CONSTANT]


def test_types_in_the_table(folder):
    """Whole numbers are written as such; only columns with gaps come back as floating point."""
    table = read_table(folder)
    whole = ["column", "i", "j", "k", "field_pixels", "constant", "roi_front", "roi_x"]
    assert {str(table[name].dtype) for name in whole} == {"int64"}
    assert {str(table[name].dtype) for name in ("z", "r2", "r2_sd", *FIELD_COLUMNS[:-1])} == {"float64"}
    as_written = pd.read_csv(folder / "voxels.tsv", sep="\t", dtype=str, keep_default_na=False)
    for name in ("field_peak_row", "field_peak_column", "field_pixels"):
        assert as_written[name].str.fullmatch(r"\d+|n/a").all()
    assert not as_written.isin(["", "nan", "NaN", "<NA>"]).any(axis=None)


def test_regions_in_the_table(folder, pairs):
    table = read_table(folder)
    j = grid_positions(pairs.mask_img)[:, 1]
    np.testing.assert_array_equal(table["roi_front"], j >= 3)
    np.testing.assert_array_equal(table["roi_x"], j == 0)
    assert table.columns[-2:].tolist() == ["roi_front", "roi_x"]


def test_every_column_is_described_and_nothing_else(folder):
    sidecar = json.loads((folder / "voxels.json").read_text(encoding="utf-8"))
    made_by = sidecar.pop("GeneratedBy")
    assert list(sidecar) == read_table(folder).columns.tolist()
    assert all(entry.keys() == {"Description", "Units"} and all(entry.values()) for entry in sidecar.values())
    assert made_by["Recording"] == "mine"
    assert made_by["Parameters"] == SETTINGS | {"stimulus_shape": [4, 4]}
    assert set(made_by["Versions"]) == {"Python", "numpy", "scipy", "scikit-learn", "nilearn", "nibabel"}
    assert made_by["Versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("name, dimensions", [("scores", (6, 5, 4)), ("fields", (6, 5, 4, 16))])
def test_images_lie_on_the_grid_of_the_mask(folder, pairs, name, dimensions):
    image = nibabel.load(folder / f"{name}.nii.gz")
    assert image.shape == dimensions
    assert image.get_data_dtype() == np.float32
    assert image.header.get_xyzt_units()[0] == "mm"
    np.testing.assert_array_equal(image.affine, pairs.mask_img.affine)
    outside = np.asarray(pairs.mask_img.dataobj) == 0
    assert np.isnan(np.asarray(image.dataobj)[outside]).all()


def test_images_agree_with_the_arrays_and_the_table(folder, pairs, fold_scores):
    """Scores of 0 and below stay what they are; a voxel that never changes has an empty field."""
    inside = np.asarray(pairs.mask_img.dataobj) != 0
    scores = np.asarray(nibabel.load(folder / "scores.nii.gz").dataobj)[inside]
    np.testing.assert_array_equal(scores, fold_scores.mean(axis=0).astype(np.float32))
    assert scores[CONSTANT] == 0

    stored = np.asarray(nibabel.load(folder / "fields.nii.gz").dataobj)[inside]
    fields = fit_receptive_fields(pairs, max_iter=SETTINGS["max_iter"])
    np.testing.assert_array_equal(stored, fields.reshape(len(fields), -1).astype(np.float32))
    assert not stored[CONSTANT].any() and stored.any(axis=1).sum() > len(fields) / 2

    table = read_table(folder)
    np.testing.assert_array_equal(table["field_pixels"], np.count_nonzero(fields, axis=(1, 2)))
    np.testing.assert_allclose(table["field_weight"], fields.clip(min=0).sum(axis=(1, 2)), rtol=1e-5)


def test_where_a_field_lies(tmp_path, mine, pairs, monkeypatch):
    """Three fields on a screen of 2 rows and 8 columns: two pixels and a negative one, nothing, all negative."""
    fields = np.zeros((pairs.responses.shape[1], 2, 8))
    fields[0, 0, 1], fields[0, 1, 5], fields[0, 0, 7] = 1, 3, -10
    fields[2, 1, 1] = -1
    wide = dataclasses.replace(pairs, stimulus_shape=(2, 8))
    monkeypatch.setattr(results, "fit_receptive_fields", lambda *_, **__: fields)
    write_results(tmp_path / "results", mine, wide, **SETTINGS)

    table = read_table(tmp_path / "results")[FIELD_COLUMNS]
    nan = np.nan
    expected = [[0.75, 4, 1, 5, 4, 3], [nan, nan, nan, nan, 0, 0], [nan, nan, nan, nan, 0, 1]]
    np.testing.assert_array_equal(table.head(3), expected)
    volume = np.asarray(nibabel.load(tmp_path / "results" / "fields.nii.gz").dataobj)
    first = volume[tuple(grid_positions(pairs.mask_img)[0])]
    assert first[[1, 7, 13]].tolist() == [1, -10, 3]  # row by row


def test_same_bytes_twice_and_no_trace_of_the_machine(folder, tmp_path, mine, pairs, monkeypatch):
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_results(tmp_path / "again", mine, pairs, **SETTINGS)
    assert list(contents(folder)) == NAMES
    assert contents(tmp_path / "again") == contents(folder)
    for name in ("voxels.json", "voxels.tsv"):
        assert str(tmp_path) not in (folder / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("step", ["fit_receptive_fields", "_write_table", "_replace"])
@pytest.mark.parametrize("interruption", [KeyboardInterrupt, OSError])
def test_interrupted_call_leaves_the_older_set_whole(folder, mine, pairs, monkeypatch, step, interruption):
    def interrupt(*_, **__):
        raise interruption

    before, beside = contents(folder), set(folder.parent.iterdir())
    monkeypatch.setattr(results, step, interrupt)
    with pytest.raises(interruption):
        write_results(folder, mine, pairs, **SETTINGS | {"alpha": 1000.0})
    assert contents(folder) == before
    assert set(folder.parent.iterdir()) == beside


def test_older_set_comes_back_when_the_new_one_cannot_be_moved(folder, mine, pairs, monkeypatch):
    def refuse(path, target):
        if path.suffix == ".new":
            raise OSError("read-only")
        return rename(path, target)

    rename, before, beside = type(folder).rename, contents(folder), set(folder.parent.iterdir())
    monkeypatch.setattr(type(folder), "rename", refuse)
    with pytest.raises(OSError, match="read-only"):
        write_results(folder, mine, pairs, **SETTINGS | {"alpha": 1000.0})
    assert contents(folder) == before
    assert set(folder.parent.iterdir()) == beside


def test_older_set_that_a_killed_call_had_moved_aside_comes_back(folder, mine, pairs, monkeypatch):
    def refuse(*_):
        raise OSError("disk full")

    before = contents(folder)
    folder.rename(folder.with_name(".results.old"))
    monkeypatch.setattr(results, "_write_table", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_results(folder, mine, pairs, **SETTINGS)
    assert contents(folder) == before


def test_new_set_replaces_the_older_one(folder, mine, pairs):
    (folder / "older.txt").touch()
    (folder.parent / ".results.new").mkdir()  # of a call that was killed
    (folder.parent / ".results.new" / "older.txt").touch()
    write_results(folder, mine, pairs, **SETTINGS | {"alpha": 1000.0})
    assert list(contents(folder)) == NAMES
    assert json.loads((folder / "voxels.json").read_text())["GeneratedBy"]["Parameters"]["alpha"] == 1000.0
    assert not list(folder.parent.glob(".results*"))


def test_simulated_recording(recording, samples, scores, tmp_path):
    """Areas and receptive fields come out where the truth has them."""
    write_results(tmp_path / "results", recording, samples)
    table = read_table(tmp_path / "results")
    np.testing.assert_allclose(table["r2"], scores, rtol=1e-5)
    for area, hemisphere in (("V1d", "LH"), ("V4v", "RH")):
        truth = recording.truth.eval("area == @area and hemisphere == @hemisphere")
        np.testing.assert_array_equal(table[f"roi_{hemisphere}{area}"], truth)
    marked = table.loc[list(MARKED_COLUMNS)]
    peaks = marked[["field_peak_row", "field_peak_column"]].to_numpy().tolist()
    assert peaks == [[4, 2], [4, 2], [3, 3], [4, 2]]
    centres, truth = marked[["field_row", "field_column"]], recording.truth.loc[list(MARKED_COLUMNS)]
    assert np.abs(centres.to_numpy() - truth[["row", "column"]]).max(axis=None) < 1
