"""The pad: its numbers against the package's, and what a reader with a mouse, a finger, keys or no scripts sees."""

import dataclasses

import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.figures.explored import PHONE, ask, by_mouse_and_finger, data_of, on_page, painted, press, swipe_up, unpacked
from voxelwise import Samples, best_voxels, fit_patterns, fit_prf, reconstruct, unmask
from voxelwise.simulation.cortex import gaussian_weights
from voxelwise.widgets import draw_and_read

N_VOXELS, SHAPE = 300, (10, 10)
ROOT = ".brain-draw"


@pytest.fixture(scope="module")
def brain():
    """Trials of voxels with known fields and surrounds, in a grid with its axes in another order, left on the right."""
    rng = np.random.default_rng(3)
    mask = np.zeros((24, 20, 12), dtype=np.uint8)
    mask.reshape(-1)[rng.permutation(mask.size)[:N_VOXELS]] = 1
    mask_img = nibabel.Nifti1Image(mask, np.array([[0, 0, -2.0, 14], [-2.0, 0, 0, 20], [0, 2.0, 0, -15], [0, 0, 0, 1]]))
    truth = pd.DataFrame(rng.uniform(-0.5, 9.5, (N_VOXELS, 2)), columns=["row", "column"])
    truth["size"], truth["surround"] = rng.uniform(0.7, 2, N_VOXELS), rng.uniform(0.3, 1.5, N_VOXELS)
    stimuli, gains = rng.integers(0, 2, (400, 100)).astype(float), rng.uniform(1, 4, N_VOXELS)
    shared, alone = rng.normal(0, 0.3, (2, N_VOXELS)), rng.normal(0, 0.5, (400, N_VOXELS))
    responses = gains * plain_drive(stimuli, truth) + rng.normal(size=(400, 2)) @ shared + alone + 0.2
    runs = np.repeat(range(8), 50)
    trials = Samples.from_arrays(stimuli, responses, runs, stimulus_shape=SHAPE, mask_img=mask_img)
    return trials, truth, fit_patterns(trials, best_voxels(trials, 250), cv=4)


def plain_drive(stimuli, truth):
    """The simulation's formula: what comes through Gaussians of sum 1, and the root of what the surround sees."""
    sizes, place = (truth["size"], 2.5), (SHAPE, truth["row"], truth["column"])
    field, surround = (stimuli @ gaussian_weights(*place, size).T for size in sizes)
    return field + truth["surround"].to_numpy() * np.sqrt(surround)


@pytest.fixture(scope="module")
def html(brain):
    trials, truth, model = brain
    return draw_and_read(trials, model, truth=truth).html


def fit_lines(trials, truth, model):
    """What each of the model's voxels sees, the slope and constant of its response, and what these leave of it."""
    seen, responses = plain_drive(trials.stimuli, truth.iloc[model.voxels]), trials.responses[:, model.voxels]
    pairs = zip(seen.T, responses.T.astype(float), strict=True)
    slopes, constants = np.transpose([np.polyfit(x, y, 1) for x, y in pairs])
    return slopes, constants, responses - slopes * seen - constants


def test_responses_and_readings_are_the_package_s(page, brain):
    """Of 50 random stimuli, with the noise that the page drew: within 1e-3 of their range."""
    trials, truth, model = brain
    stimuli = np.random.default_rng(1).integers(0, 2, (50, 100)).astype(float)
    responses = ask(page, "draw", "given.map((x) => model.respond(x))", stimuli)
    slopes, constants, _ = fit_lines(trials, truth, model)
    expected = slopes * plain_drive(stimuli, truth.iloc[model.voxels]) + constants
    assert (np.abs(responses - expected).max(axis=0) < 1e-3 * np.ptp(expected, axis=0)).all()
    noisy = np.add(responses, ask(page, "draw", "given.map((seed) => model.noise(seed, 1))", range(50)))
    read = ask(page, "draw", "given.map((y) => model.readBack(y))", noisy)
    alone = dataclasses.replace(model, voxels=np.arange(len(model.voxels)))
    expected = reconstruct(Samples.from_arrays(stimuli, noisy, np.zeros(50)), alone)
    assert np.abs(read - expected).max() < 1e-3 * np.ptp(expected)
    pairs = [*zip(stimuli, read, strict=True)]
    r = ask(page, "draw", "given.map(([a, b]) => model.correlate(a, b))", pairs)
    np.testing.assert_allclose(r, [np.corrcoef(*pair)[0, 1] for pair in pairs], atol=1e-6)


def test_noise_is_what_the_trials_leave(page, brain):
    """The variance of each voxel, and how the page's own draws spread and go together; less of it in a mean."""
    *_, left = fit_lines(*brain)
    sd = left.std(axis=0, ddof=2)
    once = np.array(ask(page, "draw", "given.map((seed) => model.noise(seed, 1))", range(400)))
    np.testing.assert_allclose(once.std(axis=0), sd, rtol=0.2)
    assert np.mean(once.std(axis=0) / sd) == pytest.approx(1, abs=0.02)
    many = ask(page, "draw", "model.noise(0, 100)")
    assert np.std(many / sd) == pytest.approx(0.1, rel=0.2)
    pairs = np.triu_indices(len(sd), 1)
    measured, shown = (np.corrcoef(each, rowvar=False)[pairs] for each in (left, once))
    assert np.corrcoef(measured, shown)[0, 1] > 0.8


def test_readings_are_as_good_as_those_of_the_trials(page, brain):
    """With noise that is drawn from what the fit leaves of the trials, shown once and more often."""
    _, truth, model = brain
    slopes, constants, left = fit_lines(*brain)
    rng, alone = np.random.default_rng(2), dataclasses.replace(model, voxels=np.arange(len(model.voxels)))
    stimuli = rng.integers(0, 2, (150, 100)).astype(float)
    expected = slopes * plain_drive(stimuli, truth.iloc[model.voxels]) + constants
    for times in (1, 10, 100):
        noise = np.mean([rng.choice(left, len(stimuli)) for _ in range(times)], axis=0)
        measured = reconstruct(Samples.from_arrays(stimuli, expected + noise, np.zeros(len(stimuli))), alone)
        drawn = ask(page, "draw", f"given.map((x, seed) => model.noise(seed, {times}))", stimuli)
        shown = ask(page, "draw", "given.map((y) => model.readBack(y))", expected + drawn)
        r = [[np.corrcoef(*pair)[0, 1] for pair in zip(stimuli, read, strict=True)] for read in (measured, shown)]
        assert np.subtract(*r).mean() == pytest.approx(0, abs=0.02)


def test_voxels_lie_where_they_do_in_the_brain(html, brain):
    trials, _, model = brain
    data, numbers = data_of(html), np.arange(1, trials.responses.shape[1] + 1)
    turned = nibabel.as_closest_canonical(unmask(numbers, trials.mask_img)).get_fdata()
    where = np.array([np.argwhere(turned == column + 1)[0] for column in model.voxels])
    places = unpacked(data["places"]).reshape(-1, 3)
    shown = places[:, 2] >= 0
    np.testing.assert_array_equal(unpacked(data["columns"], "<i4"), model.voxels)
    assert len(np.unique((where[:, [0, 2]] - places[:, :2])[shown], axis=0)) == 1, "one shift for all"
    slices = np.unique(where[shown, 1])
    np.testing.assert_array_equal(slices[places[shown, 2]], where[shown, 1])
    assert data["slices"]["n"] == len(slices) == 9


def test_without_truth_fitted_fields_respond(brain, visit):
    """The page says that the truth is not known."""
    trials, _, model = brain
    html = draw_and_read(trials, model).html
    voxels, found = unpacked(data_of(html)["voxels"], "<f4").reshape(-1, 6), fit_prf(trials, model.voxels)
    np.testing.assert_allclose(voxels[:, :3], found[["row", "column", "size"]], rtol=1e-5)
    np.testing.assert_allclose(voxels[:, 3], found["gain"], rtol=0.02)
    np.testing.assert_array_equal(voxels[:, 4], 0)
    assert "truth is not known" in visit(html).locator(f"{ROOT} .note").inner_text()


def square(page, pixel, share=0.5):
    """A place in a pixel of the pad, on the page: its middle, or nearer to a corner."""
    row, column = divmod(pixel, 10)
    return on_page(page, f"{ROOT} .pad canvas", (column + share) / 10, (row + share) / 10)


def seen(html):
    """The voxels of the slices that are shown."""
    return np.flatnonzero(unpacked(data_of(html)["places"])[2::3] >= 0)


def place(html, voxel, inside=0.5):
    """Where a voxel, or each of several, lies in shares of the brain's canvas: its middle, or nearer to a corner."""
    data = data_of(html)
    slices, (column, row, number) = data["slices"], unpacked(data["places"]).reshape(-1, 3)[voxel].T
    down, across = divmod(number, slices["side"])
    x, y = across + (column + inside) / slices["width"], down + 1 - (row + inside) / slices["height"]
    return x / slices["side"], y / np.ceil(slices["n"] / slices["side"])


def spot(page, html, voxel):
    """The middle of a voxel on the page."""
    return on_page(page, f"{ROOT} .stage canvas", *place(html, voxel))


def white(page):
    """The pixels of the pad that are white."""
    rows, columns = np.divmod(np.arange(100), 10)
    colours = painted(page, f"{ROOT} .pad canvas", (columns + 0.5) / 10, (rows + 0.5) / 10)
    return np.flatnonzero(colours[:, :3].min(axis=1) > 200).tolist()


def told(page):
    return page.locator(f"{ROOT} .told").inner_text().replace("−", "-")


def facts(page, *names):
    return [page.locator(ROOT).get_attribute(f"data-{name}") for name in names]


@by_mouse_and_finger
def test_lines_are_drawn_and_wiped_without_gaps(html, visit, options):
    """A finger on the pad draws, and does not scroll the page; one on the brain does."""
    page = visit(html + '<div style="height: 2000px"></div>', **options)
    page.get_by_role("button", name="Clear the pad").click()
    assert facts(page, "white", "r") == ["0", "NaN"]
    for count in ("10", "0"):
        press(page, square(page, 0), square(page, 99))
        assert facts(page, "white") == [count]
    assert page.evaluate("scrollY") == 0
    page.get_by_role("button", name="Ring").click()
    assert white(page) == data_of(html)["presets"][1]["pixels"]
    if options:
        page.locator(f"{ROOT} .stage").scroll_into_view_if_needed()
        swipe_up(page, *spot(page, html, seen(html)[3]))
        page.evaluate("scrollTo(0, 0)")
        before, box = facts(page, "white", "pixel"), page.locator(f"{ROOT} .pad canvas").bounding_box()
        swipe_up(page, box["x"] - 7, box["y"] + box["height"] - 5)
        assert facts(page, "white", "pixel") == before, "browsers tell the pad of fingers a little beside it"


def test_a_second_finger_draws_nothing(html, visit):
    page = visit(html, **PHONE)
    page.get_by_role("button", name="Clear the pad").click()
    touch = page.context.new_cdp_session(page)
    for kind, pixels in (("Start", [0]), ("Start", [0, 90]), ("Move", [4, 94]), ("Move", [5, 95]), ("End", [])):
        fingers = [dict(zip("xy", square(page, pixel), strict=True), id=n) for n, pixel in enumerate(pixels)]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": fingers})
    page.evaluate("new Promise(requestAnimationFrame)")
    assert white(page) == [*range(6)]


@by_mouse_and_finger
def test_a_press_paints_a_pixel_and_marks_the_voxels_that_see_it(html, visit, options):
    """Also near the pixel's rim; with a mouse, the one that was framed. Long or short, no message moves anything."""
    page = visit(html, **options | {"viewport": {"width": 390 if options else 800, "height": 1100}})
    page.get_by_role("button", name="Clear the pad").click()
    canvases = [page.locator(f"{ROOT} {name} canvas") for name in (".pad", ".stage")]
    places, shown = [canvas.bounding_box() for canvas in canvases], seen(html)
    for pixel, share in ((31, 0.1), (47, 0.5), (99, 0.9)):
        (row, column), point = divmod(pixel, 10), square(page, pixel, share)
        if not options:
            page.mouse.move(*point)
            assert facts(page, "pixel") == [str(pixel)]
        press(page, point)
        assert white(page) == [pixel]
        sees = np.array(ask(page, "draw", f"given.map((v) => model.sees(v, {pixel}))", shown)) >= 0.5
        assert f"Row {row}, column {column}, white: seen well by {np.count_nonzero(sees)} of" in told(page)
        framed = painted(page, f"{ROOT} .stage canvas", *place(html, shown, 0.05)).min(axis=1) == 255
        np.testing.assert_array_equal(framed, sees)
        press(page, point)
        assert white(page) == [] and sees.any()
        press(page, spot(page, html, shown[pixel]))
        assert f"Voxel {unpacked(data_of(html)['columns'], '<i4')[shown[pixel]]} responds" in told(page)
        assert [canvas.bounding_box() for canvas in canvases] == places


def test_a_voxel_tells_where_its_field_lies_which_glows_on_the_pad(html, brain, visit):
    page, (_, truth, model), voxel = visit(html), brain, seen(html)[5]
    page.mouse.move(*spot(page, html, voxel))
    assert facts(page, "voxel", "pixel") == [str(voxel), None]
    true = truth.iloc[model.voxels[voxel]]
    assert f"Voxel {model.voxels[voxel]} " in told(page)
    assert f"row {true['row']:.1f}, column {true['column']:.1f}" in told(page)
    down, across = np.clip(np.rint([true["row"], true["column"]]), 0, 9)
    places = np.array([[across, across + 5], [down, down + 5]]) % 10 / 10 + 0.04
    glowing, other = painted(page, f"{ROOT} .pad canvas", *places)
    assert glowing[0] - glowing[2] > 60 and other[0] - other[2] < 30, "red, less blue"
    page.mouse.move(1, 1)
    assert facts(page, "voxel") == [None]


def test_keys_paint_walk_and_draw_other_noise(html, visit):
    page = visit(html)
    page.keyboard.press("Tab")
    before = facts(page, "white", "r")
    for key in ("ArrowUp", "ArrowLeft", "ArrowLeft", "Space"):  # from row 5, column 5
        page.keyboard.press(key)
    assert facts(page, "pixel", "white") == ["43", str(int(before[0]) - 1)], "the plus had been white there"
    page.locator(f"{ROOT} .status", has_text="Row 4, column 3, black").wait_for(state="attached")
    for _ in range(8):  # over the buttons
        page.keyboard.press("Tab")
    voxel = facts(page, "voxel")
    page.keyboard.press("ArrowRight")
    assert None not in (voxel[0], *facts(page, "voxel")) and facts(page, "voxel") != voxel
    page.locator(f"{ROOT} .status", has_text="responds with").wait_for(state="attached")
    page.get_by_role("button", name="Other noise").press("Enter")
    assert (again := facts(page, "r")) != before[1:]
    page.get_by_role("slider").press("End")
    assert facts(page, "shown") == ["100"] and float(facts(page, "r")[0]) > float(again[0])


def test_it_plays_by_itself_until_the_reader_acts_and_gives_the_drawing_back(html, visit):
    """After a while, and not where reduced motion is asked for."""
    soon = html.replace("IDLE = 6000", "IDLE = 100")
    assert soon != html
    still = visit(soon)
    still.wait_for_timeout(300)
    assert facts(still, "playing") == [None]
    page = visit(soon, reduced_motion="no-preference")
    demo = page.get_by_role("button", name="Play a demo")
    page.wait_for_function(f"document.querySelector('{ROOT}').dataset.white === '5'")
    demo.click()
    assert facts(page, "playing") == ["false"] and white(page) == data_of(html)["presets"][0]["pixels"]
    demo.click()
    page.mouse.click(*square(page, 0))
    assert facts(page, "playing", "white") == ["false", "1"], "on a black pad"
    demo.dblclick()
    assert facts(page, "playing") == ["false"] and white(page) == [0]
