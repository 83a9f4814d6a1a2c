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

SETTINGS = dict(lag=0, alpha=10.0, cv=4, max_iter=6)
NAMES = ["fields.nii.gz", "scores.nii.gz", "voxels.json", "voxels.tsv"]
CONSTANT, OUT_OF_VIEW = 3, 5  # columns of a voxel that never changes, and of one that does not in the second run


@pytest.fixture
def mine(small_folder):
    """A small recording with two regions, one of them named like a coordinate, and two voxels that are dead in runs."""
    mask_img = nibabel.load(small_folder / "mask" / "mask.nii.gz")
    for name, inside in (("front", slice(3, None)), ("x", slice(1))):
        region = np.zeros(mask_img.shape, dtype=np.uint8)
        region[:, inside] = 1
        nibabel.Nifti1Image(region, mask_img.affine).to_filename(small_folder / "mask" / f"{name}.nii.gz")
    places = grid_positions(mask_img)
    for number, path in enumerate(sorted((small_folder / "func").glob("*.nii.gz"))):
        volumes = nibabel.load(path).get_fdata(dtype=np.float32)
        volumes[tuple(places[CONSTANT])] = 64
        if number == 1:
            volumes[tuple(places[OUT_OF_VIEW])] = 0
        nibabel.Nifti1Image(volumes, mask_img.affine).to_filename(path)
    return load_recording(small_folder)


@pytest.fixture
def pairs(mine):
    """Its samples, loaded as ``SETTINGS`` say."""
    return load_samples(mine, lag=SETTINGS["lag"])


@pytest.fixture
def folder(tmp_path, mine, pairs):
    """The results of the small recording."""
    write_results(tmp_path / "results", mine, pairs, **SETTINGS)
    return tmp_path / "results"


def read_table(folder):
    return pd.read_csv(folder / "voxels.tsv", sep="\t")


def test_images_and_table_agree_with_the_arrays(folder, pairs):
    """Scores of 0 and below stay what they are; a voxel that never changes has an empty field."""
    scores = cross_validate_ridge(pairs, SETTINGS["alpha"], SETTINGS["cv"])
    fields = fit_receptive_fields(pairs, max_iter=SETTINGS["max_iter"])
    weights = fields.reshape(len(fields), -1)
    inside = np.asarray(pairs.mask_img.dataobj) != 0
    for name, expected in (("scores", scores.mean(axis=0)), ("fields", weights)):
        image = nibabel.load(folder / f"{name}.nii.gz")
        assert (image.get_data_dtype(), image.header.get_xyzt_units()[0]) == (np.float32, "mm")
        np.testing.assert_array_equal(image.affine, pairs.mask_img.affine)
        stored = np.asarray(image.dataobj)
        np.testing.assert_array_equal(stored[inside], expected.astype(np.float32))
        assert np.isnan(stored[~inside]).all()
    assert not weights[CONSTANT].any() and weights.any(axis=1).sum() > len(fields) / 2

    table, positions = read_table(folder), grid_positions(pairs.mask_img)
    np.testing.assert_array_equal(table["column"], np.arange(len(positions)))
    np.testing.assert_array_equal(table[["i", "j", "k"]], positions)
    np.testing.assert_allclose(table[["x", "y", "z"]], apply_affine(pairs.mask_img.affine, positions))
    np.testing.assert_allclose(table["r2"], scores.mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(table["r2_sd"], scores.std(axis=0, ddof=1), rtol=1e-5)
    np.testing.assert_array_equal(table["field_pixels"], np.count_nonzero(weights, axis=1))
    np.testing.assert_allclose(table["field_weight"], weights.clip(min=0).sum(axis=1), rtol=1e-5)
    assert table.index[table["constant"] == 1].tolist() == [CONSTANT]
    assert table["dead_runs"][table["dead_runs"] > 0].to_dict() == {CONSTANT: 4, OUT_OF_VIEW: 1}
    np.testing.assert_array_equal(table["roi_front"], positions[:, 1] >= 3)
    np.testing.assert_array_equal(table["roi_x"], positions[:, 1] == 0)


def test_the_table_can_be_read_and_every_column_is_described(folder):
    """Whole numbers are written as such; only columns with gaps come back as floating point."""
    table = read_table(folder)
    whole = ["column", "i", "j", "k", "field_pixels", "constant", "dead_runs", "roi_front", "roi_x"]
    assert set(whole) <= set(table.select_dtypes("int64"))
    as_written = pd.read_csv(folder / "voxels.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert as_written["field_peak_row"].str.fullmatch(r"\d+|n/a").all()
    assert not as_written.isin(["", "nan", "NaN", "<NA>"]).any(axis=None)

    sidecar = json.loads((folder / "voxels.json").read_text(encoding="utf-8"))
    made_by = sidecar.pop("GeneratedBy")
    assert list(sidecar) == table.columns.tolist()
    assert all(entry.keys() == {"Description", "Units"} and all(entry.values()) for entry in sidecar.values())
    assert (made_by["Recording"], made_by["Parameters"]) == ("mine", SETTINGS | {"stimulus_shape": [4, 4]})
    assert set(made_by["Versions"]) == {"Python", "numpy", "scipy", "scikit-learn", "nilearn", "nibabel"}
    assert made_by["Versions"]["numpy"] == np.__version__


def test_where_a_field_lies(tmp_path, mine, pairs, monkeypatch):
    """Three fields on a screen of 2 rows and 8 columns: two pixels and a negative one, nothing, all negative."""
    fields = np.zeros((pairs.responses.shape[1], 2, 8))
    fields[0, 0, 1], fields[0, 1, 5], fields[0, 0, 7] = 1, 3, -10
    fields[2, 1, 1] = -1
    wide = dataclasses.replace(pairs, stimulus_shape=(2, 8))
    monkeypatch.setattr(results, "fit_receptive_fields", lambda *_, **__: fields)
    write_results(str(tmp_path / "results"), mine, wide, **SETTINGS)

    table, nan = read_table(tmp_path / "results").filter(like="field_").head(3), np.nan
    assert table.columns.str[6:].tolist() == ["row", "column", "peak_row", "peak_column", "weight", "pixels"]
    expected = [[0.75, 4, 1, 5, 4, 3], [nan, nan, nan, nan, 0, 0], [nan, nan, nan, nan, 0, 1]]
    np.testing.assert_array_equal(table, expected)
    volume = np.asarray(nibabel.load(tmp_path / "results" / "fields.nii.gz").dataobj)
    first = volume[tuple(grid_positions(pairs.mask_img)[0])]
    assert first[[1, 7, 13]].tolist() == [1, -10, 3]  # row by row


def test_same_bytes_twice_and_nothing_else_in_the_folder(folder, mine, pairs, monkeypatch):
    before = {path.name: path.read_bytes() for path in sorted(folder.iterdir())}
    assert list(before) == NAMES and all(str(folder).encode() not in content for content in before.values())
    (folder / "older.txt").touch()
    monkeypatch.setattr("time.time", lambda: 1e9)
    write_results(folder, mine, pairs, **SETTINGS)
    assert {path.name: path.read_bytes() for path in sorted(folder.iterdir())} == before
