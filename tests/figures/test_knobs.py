"""One voxel and three knobs: what the page computes, and what a reader with a mouse, a finger or a keyboard turns."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from tests.figures.explored import ask, assert_field, by_mouse_and_finger, data_of, press, swipe_up
from voxelwise import RunKFold, Samples, cross_validate_ridge, fit_receptive_fields, with_delays
from voxelwise.models.receptive_fields import walk_receptive_fields
from voxelwise.simulation.cortex import gaussian_weights
from voxelwise.widgets import turn_knobs

ROOT = ".brain-knobs"
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
    responses /= responses.std(axis=0)
    responses[runs == 1, 5] = 0
    return Samples.from_arrays(stimuli, responses, runs, stimulus_shape=(3, 4))


SAMPLES = make_samples()
SCORES = cross_validate_ridge(with_delays(SAMPLES, [LAG]), ALPHA, N_SPLITS).mean(axis=0)
GIVEN = dict(samples=SAMPLES, scores=SCORES, marked=MARKED, lag=LAG, alpha=ALPHA, n_splits=N_SPLITS, max_iter=6)


@pytest.fixture(scope="module")
def html():
    return turn_knobs(**GIVEN).html


def computed(page, **setting):
    """What the page makes of a setting."""
    return ask(page, "knobs", "model(given)", setting)


def expected(samples, column, alpha):
    """Field, courses and both R2 of a voxel by the package, and by scikit-learn where it has no function for it."""
    x, y, first = samples.stimuli.astype(float), samples.responses[:, column].astype(float), samples.run_rows[0]
    in_view = np.concatenate([rows for rows in samples.run_rows if np.ptp(y[rows])])
    train = [np.intersect1d(rows, in_view) for rows, _ in RunKFold(N_SPLITS).split(groups=samples.runs)]
    models = [Ridge(alpha).fit(x[rows], y[rows]) for rows in train]
    r2 = [model.score(x[rows], y[rows]) for model, rows in zip(models, train, strict=True)]
    held, course = cross_validate_ridge(samples, alpha, N_SPLITS)[:, column], models[0].predict(x[first])
    return dict(held=held.mean(), train=np.mean(r2), field=models[0].coef_, measured=y[first], predicted=course)


def test_the_page_fits_any_recording_as_the_package_does(html, page):
    """Grey, a pixel that stays, runs of different length, one of them without the voxel: within 1e-3."""
    columns = [voxel["column"] for voxel in data_of(html)["voxels"]]
    for voxel, (alpha, lag) in itertools.product(range(4), [(1, 0), (3, 1), (30, 5), (1e4, 2), (300, 4)]):
        wanted = expected(with_delays(SAMPLES, [lag]), columns[voxel], alpha)
        model = computed(page, voxel=voxel, alpha=alpha, lag=lag, steps=0)
        assert model["course"]["volumes"] == [lag + n for n in range(len(wanted["measured"]))]
        found = {"field": model["fields"]["ridge"]} | model["r2"] | model["course"]
        for name, values in wanted.items():
            np.testing.assert_allclose(found[name], values, rtol=0, atol=1e-3, err_msg=name)
    page.get_by_role("slider", name="Lag").fill("4")
    drawn = f"document.querySelector('{ROOT} .line.held').getAttribute('d').split('L').length"
    page.wait_for_function(f"() => {drawn} === {len(model['exponents'])}")
    model = computed(page, voxel=0, alpha=1, lag=4, steps=0)
    for number in (0, 12, 30):
        at = computed(page, voxel=0, alpha=10 ** model["exponents"][number], lag=4, steps=0)["r2"]
        assert {side: model["curves"][side][number] for side in at} == pytest.approx(at, abs=1e-12)


def test_each_step_of_the_lasso_is_on_the_path(html, page):
    """At each step and between two; at the chosen one it is the field."""
    lagged, data = with_delays(SAMPLES, [LAG]), data_of(html)
    columns = [voxel["column"] for voxel in data["voxels"]]
    paths, fields = walk_receptive_fields(lagged, columns, 6)[0], fit_receptive_fields(lagged, columns, 6)
    for voxel, chosen in enumerate(data["steps"]["chosen"]):
        expected = [*paths[:, voxel], paths[2:4, voxel].mean(axis=0), fields[voxel]]
        for step, field in zip((*range(7), 2.5, chosen), expected, strict=True):
            found = computed(page, voxel=voxel, alpha=1, lag=LAG, steps=step)["fields"]["lasso"]
            np.testing.assert_allclose(found, field.ravel(), rtol=0, atol=1e-3)


def test_voxels_are_chosen_by_their_scores_and_have_true_fields(visit):
    """Half of the best score, and the middle of those not predicted; as high as the lasso's, not square."""
    told = np.array([-0.5, 0.1, -0.1, 0.6, 0.3, 0.28, -0.3, -0.2, -0.4])
    truth = pd.DataFrame({"row": 5.3, "column": 3.1, "size": 1.2, "share": np.arange(9) == MARKED[0]})
    html = turn_knobs(**GIVEN | dict(scores=told, truth=truth)).html
    page, voxels = visit(html), data_of(html)["voxels"]
    assert {voxel["name"]: voxel["column"] for voxel in voxels} == dict(A=5, B=0, middling=4, silent=6)
    true, silent = (computed(page, voxel=n, alpha=1, lag=LAG, steps=0)["fields"]["true"] for n in (0, 1))
    field = gaussian_weights((3, 4), *(truth[name][:1] for name in ("row", "column", "size")))[0]
    seeing, other = fit_receptive_fields(with_delays(SAMPLES, [LAG]), MARKED, 6)
    np.testing.assert_allclose(true, seeing.max() * field / field.max(), atol=1e-3)
    assert other.any() and not np.any(silent)


def test_what_does_not_fit_is_refused_and_what_is_too_large_is_told():
    for new, why in ((dict(scores=SCORES[:3]), "each of the 9"), (dict(alpha=-1), "alpha=-1"), (dict(lag=17), "to 16")):
        with pytest.raises(ValueError, match=why):
            turn_knobs(**GIVEN | new)
    wide = dataclasses.replace(SAMPLES, stimuli=np.zeros((len(SAMPLES.runs), 300), np.float32), stimulus_shape=(15, 20))
    assert "too large" in turn_knobs(**GIVEN | dict(samples=wide)).html


def assert_shows(page, html, voxel, alpha, lag, steps):
    """What is told, drawn and written belongs to the setting; the lasso is scaled by the common limit."""
    root, model = page.locator(ROOT), computed(page, voxel=voxel, alpha=alpha, lag=lag, steps=steps)
    name, limit = data_of(html)["voxels"][voxel]["name"], data_of(html)["colours"]["limit"]
    train, held = (f"{model['r2'][side]:.3f}".replace("-", "−") for side in ("train", "held"))
    told = root.locator(".told").inner_text()
    called = f"Voxel {name}" if len(name) == 1 else f"The {name} voxel"
    assert told.startswith(f"{called}, penalty ") and f", lag {lag} volume" in told
    assert told.endswith(f"R² {train} on training runs, {held} on held-out runs.")
    for number, name in ((2, "ridge"), (3, "lasso")):
        field = np.reshape(model["fields"][name], (3, 4))
        assert_field(page, f"{ROOT} .field:nth-child({number}) canvas", field, limit)
    assert float(root.get_attribute("data-alpha")) == pytest.approx(alpha, rel=1e-6)


def test_sliders_turn_by_keys_and_the_button_brings_the_book_back(html, visit):
    page, chosen = visit(html, viewport={"width": 330, "height": 2000}), data_of(html)["steps"]["chosen"]
    before = page.locator(f"{ROOT} .scores svg").bounding_box()
    assert_shows(page, html, voxel=0, alpha=ALPHA, lag=LAG, steps=chosen[0])
    alone = page.locator(f"{ROOT} .field").first
    assert "not simulated" in alone.inner_text() and not alone.locator("canvas").is_visible()
    penalty, lag, steps = (page.get_by_role("slider", name=name) for name in ("Penalty", "Lag", "Lasso steps"))
    for slider, key in ((penalty, "ArrowRight"), (lag, "End"), (steps, "Home"), (steps, "ArrowRight")):
        slider.press(key)
    assert_shows(page, html, voxel=0, alpha=10**0.6, lag=5, steps=0.5)
    assert "for lag 1 only" in page.locator(f"{ROOT} .field").last.inner_text()
    page.locator(f"{ROOT} .status", has_text="lag 5 volumes: R² ").wait_for(state="attached")  # for a screen reader
    page.get_by_role("button", name="Voxel silent").press("Enter")
    assert_shows(page, html, voxel=3, alpha=10**0.6, lag=5, steps=0.5)
    assert page.locator(f"{ROOT} .scores svg").bounding_box() == before, "under a longer sentence"
    page.get_by_role("button", name="As in the book").press("Enter")
    assert_shows(page, html, voxel=3, alpha=ALPHA, lag=LAG, steps=chosen[3])


@by_mouse_and_finger
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

    press(page, middle)
    assert_turned(3)
    # In one step: the dots are drawn anew as long as points of the curves come.
    place = "dot.getBoundingClientRect()"
    centres = f"(dots) => [...document.querySelectorAll(dots)].map((dot) => {place}.x + {place}.width / 2)"
    assert page.evaluate(centres, f"{ROOT} .dot") == pytest.approx([middle[0]] * 2, abs=1)
    if options:
        swipe_up(page, *left)
        assert_turned(3)
    else:
        press(page, middle, right)
        assert_turned(4.5)
