"""One voxel and three knobs: what the page computes, and what a reader with a mouse, a finger or a keyboard turns."""

import dataclasses

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from sklearn.metrics import r2_score

from tests.figures.explored import PHONE, assert_painted, data_of, decimals, stored, swipe_up
from voxelwise import RunKFold, Samples, cross_validate_ridge, fit_receptive_fields, load_samples, true_fields
from voxelwise.models.receptive_fields import walk_receptive_fields
from voxelwise.simulation.cortex import MARKED_COLUMNS
from voxelwise.widgets import turn_knobs

ROOT = ".brain-knobs"
CHAPTER_PAGE = stored("knobs", "06_choosing_the_penalty")
MARKED = [5, 0]
LAG, ALPHA, N_SPLITS = 1, 3.0, 3


def make_samples():
    """5 runs of different length, 3 x 4 pixels of grey and one that stays, 9 voxels; one is out of view in a run."""
    rng = np.random.default_rng(3)
    runs = np.repeat(range(5), [22, 30, 18, 25, 20])
    stimuli = rng.integers(0, 256, (40, 12))[np.repeat(rng.integers(0, 40, 60), 2)[: len(runs)]] / 64
    stimuli[:, 7] = 2
    weights = rng.normal(size=(12, 9)) * (rng.random((12, 9)) < 0.3) * np.linspace(0, 1, 9)
    responses = np.roll(stimuli @ weights, LAG, axis=0) + rng.normal(size=(len(runs), 9))
    responses[:, 0] = 2 * rng.normal(size=len(runs)) + responses[:, 8]
    for run in range(5):
        here = responses[runs == run]
        responses[runs == run] = (here - here.mean(axis=0)) / here.std(axis=0)
    responses[runs == 1, 5] = 0
    return Samples.from_arrays(stimuli, responses, runs, stimulus_shape=(3, 4))


def at_lag(samples, lag):
    """What ``load_samples`` would have paired."""
    early = [row for rows in samples.run_rows for row in rows[: len(rows) - lag]]
    late = [row for rows in samples.run_rows for row in rows[lag:]]
    x, y = samples.stimuli[early], samples.responses[late]
    return Samples.from_arrays(x, y, samples.runs[early], stimulus_shape=samples.stimulus_shape)


SAMPLES = make_samples()
SCORES = cross_validate_ridge(at_lag(SAMPLES, LAG), ALPHA, N_SPLITS).mean(axis=0)
GIVEN = dict(samples=SAMPLES, scores=SCORES, marked=MARKED, lag=LAG, alpha=ALPHA, n_splits=N_SPLITS, max_iter=6)


@pytest.fixture(scope="module")
def html():
    return turn_knobs(**GIVEN).html


def computed(page, **setting):
    """What the page makes of a setting."""
    return page.locator(ROOT).evaluate(
        """(root, setting) => {
          const model = root.model(setting), plain = (values) => values && [...values];
          return { ...model, fields: Object.fromEntries(Object.entries(model.fields).map(([n, f]) => [n, plain(f)])) };
        }""",
        setting,
    )


def expected(samples, columns, alpha, n_splits):
    """Fields, courses and both R2 by the package, and scikit-learn where it has no function for it.

    The voxels, one a column of what is returned, are in view in the same runs.
    """
    few = dataclasses.replace(samples, responses=samples.responses[:, columns], mask_img=None)
    y, in_view = few.responses.astype(float), np.zeros(len(few.runs), dtype=bool)
    for rows in few.run_rows:
        in_view[rows] = np.ptp(y[rows], axis=0).all()
    models, train = [], []
    for rows, _ in RunKFold(n_splits).split(groups=few.runs):
        rows = rows[in_view[rows]]
        models.append(Ridge(alpha).fit(few.stimuli[rows].astype(float), y[rows]))
        train.append(r2_score(y[rows], models[-1].predict(few.stimuli[rows]), multioutput="raw_values"))
    first = few.run_rows[0]
    return dict(
        held=cross_validate_ridge(few, alpha, n_splits).mean(axis=0),
        train=np.mean(train, axis=0),
        field=np.reshape(models[0].coef_, (len(columns), -1)).T,
        measured=y[first],
        predicted=models[0].predict(few.stimuli[first]).reshape(len(first), -1),
    )


def assert_computed(page, samples, columns, n_splits, settings):
    """Within 1e-3 for some voxels at each setting; ``samples`` are by lag."""
    for voxels, alpha, lag in settings:
        wanted = expected(samples[lag], [columns[voxel] for voxel in voxels], alpha, n_splits)
        for number, voxel in enumerate(voxels):
            model = computed(page, voxel=voxel, alpha=alpha, lag=lag, steps=0)
            assert model["course"]["volumes"] == [lag + n for n in range(len(wanted["measured"]))]
            for name, found in ({"field": model["fields"]["ridge"]} | model["r2"] | model["course"]).items():
                if name != "volumes":
                    np.testing.assert_allclose(found, wanted[name][..., number], rtol=0, atol=1e-3, err_msg=name)


# What is in the page


def test_the_page_fits_any_recording_as_the_package_does(html, page):
    """Grey, a pixel that stays, runs of different length, one of them without the voxel."""
    columns = [voxel["column"] for voxel in data_of(html)["voxels"]]
    settings = [([0], 1, 0), ([1], 3, 1), ([2, 3], 30, 5), ([3], 1e4, 2), ([0], 300, 4)]
    assert_computed(page, {lag: at_lag(SAMPLES, lag) for lag in range(6)}, columns, N_SPLITS, settings)
    drawn = computed(page, voxel=1, alpha=1, lag=1, steps=0)
    for number in (0, 12, 30):
        alpha = 10 ** drawn["exponents"][number]
        at = computed(page, voxel=1, alpha=alpha, lag=1, steps=0)["r2"]
        for side in ("train", "held"):
            assert drawn["curves"][side][number] == pytest.approx(at[side], abs=1e-12)


def test_each_step_of_the_lasso_is_on_the_path(html, page):
    """At each step and between two; at the chosen one it is the field."""
    lagged, data = at_lag(SAMPLES, LAG), data_of(html)
    columns = [voxel["column"] for voxel in data["voxels"]]
    paths, _ = walk_receptive_fields(lagged, columns, 6)
    fields = fit_receptive_fields(lagged, columns, 6)
    for voxel in range(len(columns)):
        found = [computed(page, voxel=voxel, alpha=1, lag=LAG, steps=step)["fields"]["lasso"] for step in range(7)]
        np.testing.assert_allclose(found, paths[:, voxel].reshape(7, -1), rtol=0, atol=1e-3)
        half = computed(page, voxel=voxel, alpha=1, lag=LAG, steps=2.5)["fields"]["lasso"]
        np.testing.assert_allclose(half, paths[2:4, voxel].mean(axis=0).ravel(), rtol=0, atol=1e-3)
        chosen = computed(page, voxel=voxel, alpha=1, lag=LAG, steps=data["steps"]["chosen"][voxel])
        np.testing.assert_allclose(chosen["fields"]["lasso"], fields[voxel].ravel(), rtol=0, atol=1e-3)


@pytest.fixture(scope="module")
def unlagged(recording):
    """The simulated recording, from which the page makes all lags."""
    return load_samples(recording, lag=0)


def test_the_stored_page_computes_what_the_package_does(unlagged, samples, scores, visit):
    """At some settings of the penalty, the lag and the voxel; among them what the book says."""
    page, data = visit(CHAPTER_PAGE), data_of(CHAPTER_PAGE)
    columns = [voxel["column"] for voxel in data["voxels"]]
    settings = [([0, 4, 5], 100, 2), ([1, 4], 20, 1), ([0, 3], 700, 5)]
    assert_computed(page, {lag: at_lag(unlagged, lag) for lag in (1, 5)} | {2: samples}, columns, 10, settings)
    book = computed(page, voxel=0, **data["book"], steps=data["steps"]["chosen"][0])
    assert book["r2"]["held"] == pytest.approx(scores[columns[0]], abs=1e-4)


def test_the_stored_page_holds_what_the_recording_gives(recording, unlagged, scores):
    """Within one step of the last digit that is kept: another machine may round another way."""
    page = turn_knobs(unlagged, scores, MARKED_COLUMNS, truth=recording.truth)
    fresh, kept = data_of(page.html), data_of(CHAPTER_PAGE)
    assert len(CHAPTER_PAGE) < 400_000
    for name in ("patterns", "responses", "lasso", "truth"):
        np.testing.assert_allclose(decimals(kept[name]), decimals(fresh[name]), rtol=0, atol=1.01 * kept[name]["unit"])
    for name in ("shape", "voxels", "runs", "folds", "seen", "lags", "exponents", "book"):
        assert kept[name] == fresh[name]
    assert kept["steps"]["chosen"] == pytest.approx(fresh["steps"]["chosen"], abs=1e-3)
    *_, middling, silent = columns = [voxel["column"] for voxel in fresh["voxels"]]
    assert scores[middling] == pytest.approx(scores.max() / 2, abs=0.02)
    assert recording.truth["share"].iloc[silent] == 0, "silent indeed"
    fields, put_in = decimals(fresh["truth"]).reshape(6, 100), true_fields(recording.truth.iloc[columns])
    put_in = put_in[:5].reshape(5, 100) / put_in[:5].max(axis=(1, 2))[:, np.newaxis]
    np.testing.assert_allclose(fields[:5], fields[:5].max(axis=1, keepdims=True) * put_in, atol=1e-3)
    assert (fields[:5].max(axis=1) > 0.1).all()
    noise = data_of(turn_knobs(unlagged, scores, [499], truth=recording.truth).html)
    assert recording.truth["share"].iloc[499] == 0 and decimals(noise["lasso"])[:1100].any()
    assert not decimals(noise["truth"])[:100].any(), "a silent voxel sees nothing, whatever the lasso finds"


def test_voxels_are_chosen_by_their_scores():
    """Half of the best score, and the middle of those that are not predicted; no voxel twice."""
    told = np.array([-0.5, 0.1, -0.1, 0.6, 0.3, 0.28, -0.3, -0.2, -0.4])
    data = data_of(turn_knobs(**GIVEN | dict(scores=told)).html)
    assert {voxel["name"]: voxel["column"] for voxel in data["voxels"]} == dict(A=5, B=0, middling=4, silent=6)


def test_what_does_not_fit_is_refused_and_what_is_too_large_is_told():
    for change, told in (
        (dict(marked=[9]), "columns from 0 to 8"),
        (dict(scores=SCORES[:3]), "one for each of the 9"),
        (dict(alpha=-1.0), "ridge penalty"),
        (dict(lag=17), "shortest run has 18 volumes"),
        (dict(n_splits=6), "n_splits=6"),
    ):
        with pytest.raises(ValueError, match=told):
            turn_knobs(**GIVEN | change)
    wide = dataclasses.replace(SAMPLES, stimuli=np.zeros((len(SAMPLES.runs), 300), np.float32), stimulus_shape=(15, 20))
    fragment = turn_knobs(**GIVEN | dict(samples=wide))
    assert "too large" in repr(fragment) and repr(fragment) in fragment.html


# By mouse, keyboard and finger


def assert_shows(page, html, voxel, alpha, lag, steps):
    """What is told, drawn and written belongs to the setting; the lasso is scaled by the common limit."""
    root, model = page.locator(ROOT), computed(page, voxel=voxel, alpha=alpha, lag=lag, steps=steps)
    name, limit = data_of(html)["voxels"][voxel]["name"], data_of(html)["colours"]["limit"]
    train, held = (f"{model['r2'][side]:.3f}".replace("-", "−") for side in ("train", "held"))
    told = root.locator(".told").inner_text()
    called = f"Voxel {name}" if len(name) == 1 else f"The {name} voxel"
    assert told.startswith(f"{called}, penalty ") and f", lag {lag} volume" in told
    assert told.endswith(f"R² {train} on training runs, {held} on held-out runs.")
    rows, columns = np.indices((3, 4)).reshape(2, -1)
    for number, field in ((2, "ridge"), (3, "lasso")):
        canvas = f"{ROOT} .field:nth-child({number}) canvas"
        places = (columns + 0.5) / 4, (rows + 0.5) / 3
        assert_painted(page, canvas, *places, model["fields"][field], "RdBu_r", -limit, limit)
    assert float(root.get_attribute("data-alpha")) == pytest.approx(alpha, rel=1e-6)


def test_sliders_turn_by_keys_and_the_button_brings_the_book_back(html, visit):
    page, chosen = visit(html), data_of(html)["steps"]["chosen"]
    first = dict(voxel=0, alpha=ALPHA, lag=LAG, steps=chosen[0])
    assert_shows(page, html, **first)
    alone = page.locator(f"{ROOT} .field").first
    assert "not simulated" in alone.inner_text() and not alone.locator("canvas").is_visible()
    penalty, lag, steps = (page.get_by_role("slider", name=name) for name in ("Penalty", "Lag", "Lasso steps"))
    penalty.press("ArrowRight")
    assert_shows(page, html, **first | dict(alpha=10**0.6))
    lag.press("End")
    assert_shows(page, html, voxel=0, alpha=10**0.6, lag=5, steps=chosen[0])
    assert "for lag 1 only" in page.locator(f"{ROOT} .field").last.inner_text()
    steps.press("Home")
    steps.press("ArrowRight")
    steps.press("ArrowRight")
    assert_shows(page, html, voxel=0, alpha=10**0.6, lag=5, steps=1)
    assert steps.get_attribute("aria-valuetext") == "1"
    said = page.locator(f"{ROOT} .status", has_text="lag 5 volumes: R² ")  # for a screen reader
    said.wait_for(state="attached")
    page.get_by_role("button", name="Voxel silent").press("Enter")
    assert_shows(page, html, voxel=3, alpha=10**0.6, lag=5, steps=1)
    page.get_by_role("button", name="As in the book").press("Enter")
    assert_shows(page, html, voxel=3, alpha=ALPHA, lag=LAG, steps=chosen[3])


@pytest.mark.parametrize("options", [{}, PHONE], ids=["mouse", "finger"])
def test_the_penalty_is_drawn_along_the_curves(html, visit, options):
    """The dots go along; a finger that scrolls the page leaves the penalty as it was."""
    page = visit(html + '<div style="height: 2000px"></div>', **options)
    page.locator(f"{ROOT} .scores svg").scroll_into_view_if_needed()
    box = page.locator(f"{ROOT} .scores svg").bounding_box()
    left, middle, right = ((box["x"] + 40 + share * (box["width"] - 50), box["y"] + 60) for share in (0.25, 0.5, 0.75))
    chosen = dict(voxel=0, lag=LAG, steps=data_of(html)["steps"]["chosen"][0])

    def assert_turned(exponent):
        turned = float(page.locator(ROOT).get_attribute("data-alpha"))
        assert np.log10(turned) == pytest.approx(exponent, abs=0.03), "to a pixel"
        assert_shows(page, html, alpha=turned, **chosen)

    (page.touchscreen.tap if options else page.mouse.click)(*middle)
    assert_turned(3)
    for dot in page.locator(f"{ROOT} .dot").all():
        assert dot.bounding_box()["x"] + dot.bounding_box()["width"] / 2 == pytest.approx(middle[0], abs=1)
    if options:
        swipe_up(page, *left)
        assert_turned(3)
    else:
        page.mouse.down()
        page.mouse.move(*right)
        page.mouse.up()
        assert_turned(4.5)
