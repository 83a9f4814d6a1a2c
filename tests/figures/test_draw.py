"""The pad: its numbers against the package's, and what a reader with a mouse, a finger, keys or no scripts sees."""

import dataclasses

import nibabel
import numpy as np
import pandas as pd
import pytest

from tests.figures.explored import PHONE, ask, data_of, on_page, painted, swipe, swipe_up, unpacked
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


# The numbers


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


def test_voxels_without_a_place_are_refused(brain):
    trials, _, model = brain
    with pytest.raises(ValueError, match="a mask to place voxels by"):
        draw_and_read(dataclasses.replace(trials, mask_img=None), model)


# By mouse, finger and keys


def square(page, pixel):
    """The middle of a pixel of the pad on the page."""
    row, column = divmod(pixel, 10)
    return on_page(page, f"{ROOT} .pad canvas", (column + 0.5) / 10, (row + 0.5) / 10)


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
    colours = np.array(painted(page, f"{ROOT} .pad canvas", (columns + 0.5) / 10, (rows + 0.5) / 10))
    return np.flatnonzero(colours[:, :3].min(axis=1) > 200).tolist()


def assert_marked(page, html, pixel):
    """The pixel is told of, and the voxels that see it are framed, no others."""
    row, column = divmod(pixel, 10)
    assert f"Row {row}, column {column}, white: seen well by" in page.locator(f"{ROOT} .told").inner_text()
    shown = np.flatnonzero(unpacked(data_of(html)["places"])[2::3] >= 0)
    sees = np.array(ask(page, "draw", f"given.map((v) => model.sees(v, {pixel}))", shown)) >= 0.5
    framed = np.min(painted(page, f"{ROOT} .stage canvas", *place(html, shown, 0.05)), axis=1) == 255
    assert sees.any()
    np.testing.assert_array_equal(framed, sees)


def facts(page, *names):
    return [page.locator(ROOT).get_attribute(f"data-{name}") for name in names]


def test_the_mouse_draws_and_wipes_lines_without_gaps(html, visit):
    page = visit(html)
    page.get_by_role("button", name="Clear the pad").click()
    assert facts(page, "white", "r") == ["0", "NaN"]
    assert page.locator(f"{ROOT} .words").inner_text() == "The pad is empty: draw something"
    for count in ("10", "0"):
        page.mouse.move(*square(page, 0))
        page.mouse.down()
        page.mouse.move(*square(page, 99))
        page.mouse.up()
        assert facts(page, "white") == [count]
    page.get_by_role("button", name="Ring").click()
    assert facts(page, "white") == [str(len(data_of(html)["presets"][1]["pixels"]))]


def test_pixel_and_voxel_point_at_each_other(html, brain, visit):
    """A pixel tells how many voxels see it; a voxel where its field lies, which glows on the pad."""
    page, (_, truth, model) = visit(html), brain
    places = unpacked(data_of(html)["places"]).reshape(-1, 3)
    page.mouse.move(*square(page, 47))
    sees = ask(page, "draw", "given.map((v) => model.sees(v, 47))", range(len(places)))
    n = np.count_nonzero((np.array(sees) >= 0.5) & (places[:, 2] >= 0))
    assert f"Row 4, column 7, white: seen well by {n} of" in page.locator(f"{ROOT} .told").inner_text()
    voxel = np.flatnonzero(places[:, 2] == 4)[5]
    page.mouse.move(*spot(page, html, voxel))
    assert facts(page, "voxel", "pixel") == [str(voxel), None]
    true = truth.iloc[model.voxels[voxel]]
    told = page.locator(f"{ROOT} .told").inner_text().replace("−", "-")
    assert f"Voxel {model.voxels[voxel]} " in told and f"row {true['row']:.1f}, column {true['column']:.1f}" in told
    down, across = np.clip(np.rint([true["row"], true["column"]]), 0, 9)
    places = np.array([[across, across + 5], [down, down + 5]]) % 10 / 10 + 0.04
    glowing, other = painted(page, f"{ROOT} .pad canvas", *places)
    assert glowing[0] - glowing[2] > 60 and other[0] - other[2] < 30, "red, less blue"
    page.mouse.move(1, 1)
    assert facts(page, "voxel") == [None]


@pytest.mark.parametrize("width, options", [(800, {}), (390, PHONE)], ids=["mouse", "finger"])
def test_nothing_moves_while_the_message_changes(html, visit, width, options):
    """Long or short: pad and brain stay where they are."""
    page, told = visit(html, **options | {"viewport": {"width": width, "height": 1100}}), set()
    places = [page.locator(f"{ROOT} {name} canvas").bounding_box() for name in (".pad", ".stage")]
    for point in (square(page, 47), spot(page, html, 3), square(page, 99), spot(page, html, 9)):
        (page.touchscreen.tap if options else page.mouse.move)(*point)
        told.add(page.locator(f"{ROOT} .told").inner_text())
        assert [page.locator(f"{ROOT} {name} canvas").bounding_box() for name in (".pad", ".stage")] == places
    assert len(told) == 4


def test_a_press_paints_the_pixel_that_is_framed(html, visit):
    """Without moving, also near the pixel's rim; what is told stays, and is shorter than the hint before it."""
    page = visit(html, viewport={"width": 800, "height": 900})
    page.get_by_role("button", name="Clear the pad").click()
    for pixel, share in ((31, 0.1), (47, 0.5), (99, 0.9)):
        row, column = divmod(pixel, 10)
        x, y = on_page(page, f"{ROOT} .pad canvas", (column + share) / 10, (row + share) / 10)
        page.mouse.move(x, y)
        page.mouse.move(x + 1, y)  # by now, the message is the pixel's
        framed = facts(page, "pixel")
        page.mouse.down()
        assert [*map(str, white(page))] == framed == [str(pixel)]
        assert f"Row {row}, column {column}, white" in page.locator(f"{ROOT} .told").inner_text()
        page.mouse.up()
        assert_marked(page, html, pixel)
        page.mouse.down()
        page.mouse.up()
        assert white(page) == []


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
    page.get_by_role("button", name="Other noise").press("Enter")
    assert (again := facts(page, "r")) != before[1:]
    page.get_by_role("slider").press("End")
    assert facts(page, "shown") == ["100"] and float(facts(page, "r")[0]) > float(again[0])


def test_a_finger_draws_and_the_brain_lets_the_page_scroll(html, visit):
    page = visit(html + '<div style="height: 2000px"></div>', **PHONE)
    page.get_by_role("button", name="Clear the pad").tap()
    swipe(page, *(square(page, pixel) for pixel in (3, 33, 93)))
    assert facts(page, "white") == ["10"] and page.evaluate("scrollY") == 0
    page.locator(f"{ROOT} .stage").scroll_into_view_if_needed()
    voxel = np.flatnonzero(unpacked(data_of(html)["places"])[2::3] == 4)[3]
    x, y = spot(page, html, voxel)
    page.touchscreen.tap(x, y)
    assert facts(page, "voxel") == [str(voxel)]
    swipe_up(page, x, y)


def test_a_finger_beside_the_pad_scrolls(html, visit):
    """Browsers tell a pad of fingers that come down a little beside it."""
    page = visit(html + '<div style="height: 2000px"></div>', **PHONE)
    for side in (-7, 7):
        page.evaluate("scrollTo(0, 0)")
        before, box = white(page), page.locator(f"{ROOT} .pad canvas").bounding_box()
        x, y = box["x"] + side + (side > 0) * box["width"], box["y"] + box["height"] - 5
        swipe_up(page, x, y)
        assert white(page) == before and facts(page, "pixel") == [None]


def test_a_tap_marks_the_voxels_that_see_the_pixel(html, visit):
    page = visit(html, **PHONE)
    page.get_by_role("button", name="Clear the pad").tap()
    page.touchscreen.tap(*square(page, 47))
    assert white(page) == [47]
    assert_marked(page, html, 47)
    page.locator(f"{ROOT} .status", has_text="Row 4, column 7, white").wait_for(state="attached")


def test_it_plays_each_drawing_once_and_waits_for_the_pointer(html, visit):
    script = html
    for name, usual, quick in (("IDLE", 6000, 300), ("STROKE", 70, 5), ("HOLD", 3000, 100)):
        assert f"{name} = {usual}" in script
        script = script.replace(f"{name} = {usual}", f"{name} = {quick}")
    page = visit(script, reduced_motion="no-preference")
    page.wait_for_function(f"() => document.querySelector('{ROOT}').dataset.playing === 'true'")
    page.mouse.move(*square(page, 47))
    page.wait_for_timeout(100)
    drawn = white(page)
    page.wait_for_timeout(300)
    assert facts(page, "playing") == ["true"] and white(page) == drawn
    page.mouse.move(1, 1)
    page.wait_for_function(f"() => document.querySelector('{ROOT}').dataset.playing === 'false'")
    page.wait_for_timeout(700)
    assert facts(page, "playing") == ["false"] and white(page) == data_of(html)["presets"][0]["pixels"]


def test_it_plays_by_itself_until_the_reader_acts(html, visit):
    """After a while, and not where reduced motion is asked for; a drawing of the reader's own stays."""
    script = html.replace("IDLE = 6000", "IDLE = 300")
    assert script != html
    page = visit(script, reduced_motion="no-preference")
    page.wait_for_function(f"() => document.querySelector('{ROOT}').dataset.playing === 'true'")
    white = facts(page, "white")
    page.wait_for_function(f"(white) => document.querySelector('{ROOT}').dataset.white !== white", arg=white[0])
    page.mouse.click(*square(page, 0))
    assert facts(page, "playing", "white") == ["false", "1"], "on a black pad"
    page.wait_for_timeout(700)
    assert facts(page, "playing", "white") == ["false", "1"]
    page.get_by_role("button", name="Play a demo").click()
    assert facts(page, "playing") == ["true"]
    page.get_by_role("button", name="Play a demo").click()
    assert facts(page, "playing", "white") == ["false", "1"], "what the reader had drawn"
    still = visit(script)
    still.wait_for_timeout(700)
    assert facts(still, "playing") == [None]
