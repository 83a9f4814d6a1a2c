"""Designs, against regressors of nilearn and loops in fine steps; pictures as pixels, against block means."""

import numpy as np
import pandas as pd
import pytest
from nilearn.glm.first_level.hemodynamic_models import compute_regressor
from PIL import Image

from voxelwise import RecordingError, design_from_events, load_pictures

N_VOLUMES, T_R = 60, 2.5
#: At milliseconds, some at once, one from before the run, one beyond its end; what shows nothing may be at any time.
EVENTS = pd.DataFrame(
    {
        "onset": [-1.2, 3.337, 11.001, 11.9, 12.345, 40.0, 400.0, 77.777, 149.2],
        "duration": [2.0, 0.5, 1.0, 5.0, 0.25, 1.0, 0.0, 20.0, 4.0],
        "stim_file": ["a.png", "b.png", "c.png", "a.png", "b.png", "c.png", np.nan, "b.png", "a.png"],
    }
)
FEATURES = pd.DataFrame(np.random.default_rng(0).normal(size=(3, 4)), index=["c.png", "b.png", "a.png"])
ROWS = FEATURES.reindex(EVENTS["stim_file"]).fillna(0).to_numpy()


@pytest.mark.parametrize(("hrf", "slice_time_ref"), [("glover", 0), ("spm", 0.5)])
def test_it_is_nilearns_regressor_of_each_feature(hrf, slice_time_ref):
    frame_times = T_R * (np.arange(N_VOLUMES) + slice_time_ref)
    triplets = [(EVENTS["onset"], EVENTS["duration"], column) for column in ROWS.T]
    plain = np.hstack([compute_regressor(events, hrf, frame_times, oversampling=500)[0] for events in triplets])
    design = design_from_events(EVENTS, FEATURES, N_VOLUMES, T_R, hrf, slice_time_ref)
    assert design.dtype == np.float32
    np.testing.assert_allclose(design, plain, atol=5e-3 * abs(plain).max())


def test_without_a_response_each_volume_holds_the_share_that_events_cover():
    times = np.arange(0, N_VOLUMES * T_R, 0.0005) + 0.00025
    seen = np.zeros((len(times), 4))
    for onset, duration, row in zip(EVENTS["onset"], EVENTS["duration"], ROWS, strict=True):
        seen[(times >= onset) & (times < onset + duration)] += row
    design = design_from_events(EVENTS, FEATURES, N_VOLUMES, T_R, hrf=None)
    np.testing.assert_allclose(design, seen.reshape(N_VOLUMES, -1, 4).mean(axis=1), atol=2e-3)
    delayed = design_from_events(EVENTS, FEATURES, N_VOLUMES, T_R, hrf=[2, 0])
    np.testing.assert_array_equal(delayed[:, 4:], design)
    np.testing.assert_array_equal(delayed[:, :4], np.vstack([np.zeros((2, 4)), design[:-2]]))


def test_features_are_found_by_any_column():
    expected = design_from_events(EVENTS, FEATURES, N_VOLUMES, T_R)
    numbers = EVENTS.drop(columns="stim_file").assign(trial_type=[1, 2, 3, 1, 2, 3, np.nan, 2, 1])
    by_number = FEATURES.set_axis([3, 2, 1]).rename_axis("trial_type")
    by_text = by_number.set_axis(["3.0", "2.0", "1.0"]).rename_axis("trial_type")
    for some in (by_number, by_text):
        np.testing.assert_array_equal(design_from_events(numbers, some, N_VOLUMES, T_R), expected)
    each = design_from_events(EVENTS, "stim_file", N_VOLUMES, T_R, hrf=None)
    assert each.shape == (N_VOLUMES, 3)
    np.testing.assert_allclose(each[:, 0].sum() * T_R, 0.8 + 5 + 0.8)  # a.png, within the run


def spoilt(column, value):
    events = EVENTS.astype(object)
    events.loc[2, column] = value
    return dict(events=events)


def test_what_cannot_be_counted_or_does_not_fit_is_told():
    fitting = dict(events=EVENTS, features=FEATURES, n_volumes=N_VOLUMES, t_r=T_R)
    for wrong, said in (
        (spoilt("duration", 0.0), "row 2 has the onset 11.001 and the duration 0.0; expected .* above 0"),
        (spoilt("onset", 150.0), "row 2 has the onset 150.0 .*ends at 150 s"),
        (spoilt("onset", -90.0), "row 2 has the onset -90.0"),
        (spoilt("stim_file", "d.png"), "no row for 'd.png', which the events' column \"stim_file\" has"),
        (dict(events=EVENTS.drop(columns="stim_file")), 'no column "stim_file"; they have onset, duration'),
        (dict(features=pd.concat([FEATURES, FEATURES])), "'c.png' stands in its index twice"),
        (dict(features=FEATURES.where(FEATURES > 0)), "features: nan among them"),
        (dict(features=FEATURES.astype(object).replace(FEATURES.iloc[0, 0], "x")), "features: could not .* 'x'"),
        (dict(features=FEATURES.set_axis([3, 2, 1]).rename_axis("stim_file")), "no row for 'a.png'"),
        (dict(features=ROWS), "features: ndarray; expected a DataFrame"),
        *((dict(hrf=hrf), "hrf=.*expected .*glover") for hrf in ("fir", [], [-1], 3)),
    ):
        with pytest.raises(ValueError, match=said):
            design_from_events(**fitting | wrong)


GREY = np.random.default_rng(0).integers(0, 256, (40, 60)).astype(np.uint8)


def mean_blocks(pixels):
    return np.kron(pixels, np.ones((3, 7))).reshape(3, 40, 7, 60).mean(axis=(1, 3)).ravel()


def test_every_format_gives_the_same_brightness_from_0_to_1_by_area(tmp_path):
    rgba = np.dstack([GREY] * 3 + [np.full_like(GREY, 255)])
    pictures = {"8.png": GREY, "a.png": rgba, "b.TIFF": GREY.astype(np.uint16) * 257, "c.jpg": GREY}
    (tmp_path / "faces").mkdir()
    for name, pixels in (pictures | {"faces/d.png": GREY > 127}).items():
        Image.fromarray(pixels).save(tmp_path / name)
    for name in ("notes.txt", "consent.pdf", "clip.mpg", "gabor.h5"):
        (tmp_path / name).write_text("no picture")
    (tmp_path / "._8.png").write_bytes(b"of another system")
    table = load_pictures(tmp_path, (3, 7))
    assert table.index.tolist() == [*pictures, "faces/d.png"] and table.index.name == "stim_file"
    np.testing.assert_allclose(table.iloc[:3], np.tile(mean_blocks(GREY / 255), (3, 1)), atol=1e-6)
    np.testing.assert_allclose(table.loc["c.jpg"], mean_blocks(GREY / 255), atol=0.01)
    np.testing.assert_allclose(table.loc["faces/d.png"], mean_blocks(GREY > 127), atol=1e-6)
    assert table.columns.tolist() == [*np.ndindex(3, 7)]


def test_what_is_no_picture_is_told(tmp_path):
    path = tmp_path / "a.tif"
    for save, said in (
        (lambda: None, "no picture in it"),
        (lambda: Image.fromarray(GREY.astype(np.float32)).save(path), "a.tif: .*white is not known"),
        (lambda: Image.new("RGBA", (9, 9), (0, 0, 0, 200)).save(path), "a.tif: .*transparent"),
        (lambda: path.write_bytes(b"nothing"), "a.tif: not a picture"),
    ):
        save()
        with pytest.raises(RecordingError, match=said):
            load_pictures(tmp_path, (4, 6))
