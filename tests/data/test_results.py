"""What the book leaves for use outside it, against the arrays that it comes from; maps of subjects and of a group."""

import dataclasses
import json
import shutil

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine, from_matvec
from nilearn.interfaces.bids import get_bids_files, parse_bids_filename
from scipy.stats import ttest_1samp
from sklearn.linear_model import Ridge

import voxelwise as vw
from tests.plain import rewrite
from voxelwise.results import CEILINGS, COLUMNS

SETTINGS = dict(lag=1, alpha=10.0, cv=4, max_iter=6, alpha_range=[1, 100], n_alphas=3)
SETTINGS |= dict(n_permutations=49, rate=0.1, seed=2)
DIAGONAL = np.diag([3.0, 3, 3, 1])
CONSTANT, OUT_OF_VIEW = 3, 5  # columns of a voxel that never changes, and of one that does not in the second run


def image(values, affine=DIAGONAL):
    return nibabel.Nifti1Image(np.asarray(values, np.float32), affine)


def masked(image, mask_img):
    """An image's values in the mask, on whose grid it lies, and outside of which it has none."""
    inside, values = np.asarray(mask_img.dataobj) != 0, image.get_fdata()
    np.testing.assert_array_equal(image.affine, mask_img.affine)
    assert np.isnan(values[~inside]).all()
    return values[inside]


@pytest.fixture
def mine(small_folder, small_samples):
    """A recording with a region named like a coordinate, and two figure runs; half of the voxels are noise."""
    rng, region = np.random.default_rng(0), small_samples.mask_img.get_fdata() * (np.arange(6) < 3)[:, None, None]
    image(region, small_samples.mask_img.affine).to_filename(small_folder / "mask" / "x.nii.gz")
    for name in ("func/{}run{}.nii.gz", "label/{}run{}.csv"):
        for number in (5, 6):
            shutil.copy(small_folder / name.format("", 1), small_folder / name.format("data_figure_", number))
    rewrite(small_folder / "func" / "data_figure_run6.nii.gz", lambda values: values + rng.normal(size=values.shape))
    responses = small_samples.responses.copy()
    responses[:, 25:] += 5 * rng.normal(size=(120, 25))
    responses[:, CONSTANT] = responses[small_samples.runs == 1, OUT_OF_VIEW] = 0
    recording = dataclasses.replace(vw.load_recording(small_folder), degrees_per_pixel=1.15)
    return recording, dataclasses.replace(small_samples, responses=responses)


@pytest.mark.filterwarnings("ignore:.*choices for well predicted voxels")
def test_images_and_table_agree_with_the_arrays_and_every_column_is_described(tmp_path, mine, monkeypatch):
    """The same bytes twice, and nothing else in the folder."""
    (recording, samples), folder, written = mine, tmp_path / "results", []
    for now in (0, 1e9):
        monkeypatch.setattr("time.time", lambda now=now: now)
        vw.write_results(folder, recording, samples, **SETTINGS, weights=True)
        written.append({path.name: path.read_bytes() for path in folder.iterdir()})
        (folder / "older.txt").touch()
    assert written[0] == written[1] and len(written[0]) == 6

    scores, positions = vw.cross_validate_ridge(samples, 10.0, 4), vw.grid_positions(samples.mask_img)
    weights = vw.fit_receptive_fields(samples, max_iter=6).reshape(50, -1)
    seen, ridge = samples.runs != 1, Ridge(10.0).fit(samples.stimuli, samples.responses)
    some = Ridge(10.0).fit(samples.stimuli[seen], samples.responses[seen, OUT_OF_VIEW])  # without the run out of view
    ridge.coef_[OUT_OF_VIEW], ridge.intercept_[OUT_OF_VIEW] = some.coef_, some.intercept_
    fitted = {"coefficients": ridge.coef_, "intercepts": ridge.intercept_}
    for name, expected in ({"scores": scores.mean(axis=0), "fields": weights} | fitted).items():
        of_voxels = masked(nibabel.load(folder / f"{name}.nii.gz"), samples.mask_img)
        np.testing.assert_allclose(of_voxels, expected, rtol=1e-7, atol=1e-4 * (name in fitted), err_msg=name)

    table, columns = pd.read_csv(folder / "voxels.tsv", sep="\t"), np.arange(50)
    test = vw.permutation_test(samples, 10.0, 4, 49, rng=np.random.default_rng(2))
    fields, ceiling = vw.fit_prf(samples), vw.noise_ceiling(vw.load_samples(recording, "figure", lag=1))
    polar = np.transpose(vw.polar_coordinates(fields["row"], fields["column"], (4, 4)))
    for names, expected in {
        "column": columns,
        "i j k": positions,
        "x y z": apply_affine(samples.mask_img.affine, positions),
        "r2 r2_sd": np.transpose([scores.mean(axis=0), scores.std(axis=0, ddof=1)]),
        "r": vw.mean_correlation(vw.cross_validate_ridge(samples, 10.0, 4, scoring="r")),
        "p_value discovery": np.transpose([test.p_values, test.discoveries(0.1)]),
        "best_alpha": 10.0 ** vw.search_alpha(samples, [1, 10, 100], 4).curves.argmax(axis=0),
        " ".join(CEILINGS): np.transpose([ceiling.r2, ceiling.error, ceiling.pattern, ceiling.pattern_error]),
        "field_weight field_pixels": np.transpose([weights.clip(min=0).sum(axis=1), (weights != 0).sum(axis=1)]),
        "prf_row prf_column prf_size prf_r2 prf_gain": fields[["row", "column", "size", "r2", "gain"]],
        "prf_eccentricity prf_angle": polar,
        "prf_size_degrees": 1.15 * fields["size"],
        "prf_eccentricity_degrees": 1.15 * polar[:, 0],
        "constant": columns == CONSTANT,
        "dead_runs": 4 * (columns == CONSTANT) + (columns == OUT_OF_VIEW),
        "roi_x": positions[:, 0] < 3,
    }.items():
        np.testing.assert_allclose(table[names.split()].squeeze(), expected, rtol=1e-5, atol=1e-9, err_msg=names)
    assert 10 < table["discovery"].sum() < 49 and table["best_alpha"].nunique() > 1
    as_written = pd.read_csv(folder / "voxels.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert as_written["field_peak_row"].str.fullmatch(r"\d+|n/a").all()
    assert not as_written.isin(["", "nan", "NaN", "<NA>"]).any(axis=None)

    sidecar = json.loads((folder / "voxels.json").read_bytes())
    made_by = sidecar.pop("GeneratedBy")
    assert list(sidecar) == table.columns.tolist()
    assert all(entry.keys() == {"Description", "Units"} and all(entry.values()) for entry in sidecar.values())
    assert made_by["Recording"] == "mine"
    assert made_by["Parameters"] == SETTINGS | {"repeat_kind": "figure", "stimulus_shape": [4, 4]}


def test_what_is_not_known_is_missing(tmp_path, mine, monkeypatch):
    """Penalties need three folds, ceilings repeats, degrees the size of a pixel, and fields some positive weight.

    Three fields on a screen of 2 rows and 8 columns: two pixels and a negative one, nothing, all negative.
    """
    recording, samples = mine
    fields = np.zeros((50, 2, 8))
    fields[0, 0, 1], fields[0, 1, 5], fields[0, 0, 7], fields[2, 1, 1] = 1, 3, -10, -1
    monkeypatch.setattr("voxelwise.results.fit_receptive_fields", lambda *_, **__: fields)
    samples = dataclasses.replace(samples, stimulus_shape=(2, 8))
    recording = dataclasses.replace(recording, degrees_per_pixel=None, func={"random": recording.func["random"]})
    folder = tmp_path / "results"
    vw.write_results(str(folder), recording, samples, **SETTINGS | dict(cv=2))
    table, nan = pd.read_csv(folder / "voxels.tsv", sep="\t"), np.nan
    unknown = ["best_alpha", *CEILINGS, "prf_size_degrees", "prf_eccentricity_degrees"]
    assert table.columns[table.isna().all()].tolist() == unknown
    names = [f"field_{name}" for name in ("row", "column", "peak_row", "peak_column", "weight", "pixels")]
    expected = [[0.75, 4, 1, 5, 4, 3], [nan, nan, nan, nan, 0, 0], [nan, nan, nan, nan, 0, 1]]
    np.testing.assert_array_equal(table.loc[:2, names], expected)
    first = nibabel.load(folder / "fields.nii.gz").get_fdata()[tuple(vw.grid_positions(samples.mask_img)[0])]
    assert first[[1, 7, 13]].tolist() == [1, -10, 3]  # row by row
    monkeypatch.setattr("voxelwise.results.cross_validate_ridge", None)  # told before anything is computed
    with pytest.raises(vw.RecordingError, match='no runs of kind "figures"; it has "'):
        vw.write_results(folder, recording, samples, **SETTINGS | dict(repeat_kind="figures"))
    with pytest.raises(ValueError, match="holds other files, which would be removed"):
        vw.write_results(recording.folder, recording, samples, **SETTINGS)
    with pytest.raises(ValueError, match=r"stimulus_shape=\(2, 2, 4\): expected rows and columns"):
        vw.write_results(folder, recording, dataclasses.replace(samples, stimulus_shape=(2, 2, 4)), **SETTINGS)


def test_on_one_grid_it_is_the_t_test_of_each_voxel_that_all_have():
    values = np.random.default_rng(0).normal(0.1, 0.2, (7, 5, 6, 4)).astype(np.float32)
    values[2, 0], values[5, :, 3] = np.nan, np.nan
    known = np.isfinite(values).all(axis=0)
    found = vw.group_maps({f"{n:02}": image(each) for n, each in enumerate(values)}, threshold=0.15)
    expected = {"mean": values.mean(axis=0), "t": ttest_1samp(values, 0).statistic}
    for name, each in (expected | {"share": (values > 0.15).mean(axis=0)}).items():
        np.testing.assert_allclose(masked(found[name], image(known)), each[known], rtol=1e-4, atol=1e-6)


def test_other_grids_are_brought_to_the_first_or_to_a_template():
    """A plane through space comes out as the same plane, whatever grid it was sampled on; NaN does not spread."""

    def places(shape, affine):
        return apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))

    slope, here = [0.1, -0.2, 0.3], places((10, 9, 8), DIAGONAL)
    oblong, cubes = from_matvec(np.diag([-2.0, 2.5, 2]), [40, -3, -5]), from_matvec(np.eye(3) * 4, [-2, -2, -2])
    grids = ((10, 9, 8), DIAGONAL, 0), ((22, 14, 16), oblong, 1), ((9, 9, 9), cubes, 5)
    images = [image(places(shape, affine) @ slope + height, affine) for shape, affine, height in grids]
    inside = (here <= [25, 22, 21]).all(axis=-1)
    found = vw.group_maps(images)["mean"].get_fdata()
    np.testing.assert_allclose(found[inside], (here @ slope + 2)[inside], atol=1e-4)
    template = image(np.zeros((4, 4, 4)), from_matvec(np.eye(3) * 1.5, [6, 6, 6]))
    on_template = vw.group_maps(images, template=template)["mean"].get_fdata()
    np.testing.assert_allclose(on_template, places((4, 4, 4), template.affine) @ slope + 2, atol=1e-4)

    holed = images[2].get_fdata()
    holed[:, :, 3:] = np.nan  # voxels at 6 mm are known, and those at 10 mm are not; the first grid has some at 9 mm
    holed = np.isfinite(vw.group_maps([images[0], image(holed, images[2].affine)])["mean"].get_fdata())
    assert holed[inside & (here[..., 2] < 8)].all() and not holed[here[..., 2] > 8].any()


def test_one_map_or_maps_without_a_common_voxel_make_no_group():
    ones, elsewhere = image(np.ones((2, 2, 2))), image(np.ones((2, 2, 2)), from_matvec(np.eye(3), [90, 0, 0]))
    with pytest.raises(ValueError, match="images: 1 of them; expected maps of two"):
        vw.group_maps({"01": ones})
    with pytest.raises(vw.RecordingError, match="Are their maps in one space"):
        vw.group_maps([ones, elsewhere])


SPACE = "MNI152NLin2009cAsym"
MAPS = pd.DataFrame(np.random.default_rng(0).normal(size=(50, 2)), columns=["r2", "mine"])


def test_what_is_written_is_read_back_by_us_and_found_by_nilearn(tmp_path, small_samples):
    mask_img, folder = small_samples.mask_img, tmp_path / "derivatives"
    labels = ("01", "look", SPACE), ("02", "look", SPACE), ("02", "look", None), ("02", "hear", SPACE)
    for number, of_map in enumerate(labels):
        first, _ = vw.write_derivatives(folder, MAPS + number, mask_img, *of_map)
    assert first == folder / f"sub-02/func/sub-02_task-hear_space-{SPACE}_stat-r2_statmap.nii.gz"
    images = vw.load_results(folder, "mine", "look", SPACE)
    assert list(images) == ["01", "02"]
    for number, each in enumerate(images.values()):
        np.testing.assert_allclose(masked(each, mask_img), MAPS["mine"] + number, rtol=1e-6)
    assert nibabel.load(first).header.get_xyzt_units()[0] == "mm"
    found = get_bids_files(folder, "statmap", "nii.gz", sub_label="01", modality_folder="func")
    assert [parse_bids_filename(path)["entities"]["stat"] for path in found] == ["mine", "r2"]
    description = folder / "dataset_description.json"
    assert json.loads(description.read_bytes())["DatasetType"] == "derivative"
    description.write_text("theirs")
    vw.write_derivatives(folder, MAPS + 3, mask_img, "02", "hear", SPACE)
    assert description.read_text() == "theirs", "what others say of the folder stays"
    sidecar = json.loads(first.with_name(first.name.replace(".nii.gz", ".json")).read_bytes())
    assert sidecar.items() > COLUMNS["r2"].items()
    with pytest.raises(vw.RecordingError, match=r"another map of this subject with stat='r2', task='look'. Say which"):
        vw.load_results(folder, task="look")
    with pytest.raises(vw.RecordingError, match=r"none of the 8 maps in .* has stat='r3'"):
        vw.load_results(folder, "r3")


def test_what_cannot_be_written_is_refused_before_anything_is(tmp_path, small_samples):
    arguments = dict(maps=MAPS, mask_img=small_samples.mask_img, subject="01", task="look")
    for change, said in (
        (dict(subject="sub-01"), "'sub-01': BIDS allows letters and digits"),
        (dict(maps={"best_alpha": np.zeros(50)}), "'best_alpha': BIDS allows"),
        (dict(mask_img=None), "mask_img=None"),
        (dict(maps={"r2": np.zeros(49)}), r"values of shape \(49,\); expected 50"),
        *(
            (dict(maps={"r2": v}), r"values of shape \(.*expected 50 at first")
            for v in (1, np.ones(1), np.ones((4, 50)))
        ),
    ):
        with pytest.raises(ValueError, match=said):
            vw.write_derivatives(tmp_path, **arguments | change)
    assert not list(tmp_path.iterdir())
