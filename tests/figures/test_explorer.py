"""The pictures to touch: what is in them, and what a reader with a mouse, a finger, a keyboard or no scripts sees."""

import io
import itertools
import re
from types import SimpleNamespace

import matplotlib
import nibabel
import numpy as np
import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

from tests.figures.explored import (
    CHAPTER,
    CLEAR,
    assert_shows,
    data_of,
    decoded,
    hear,
    in_slice_of,
    picture,
    pixel_colours,
    spot,
    stored,
    unpacked,
)
from tests.notebooks import ROOT
from voxelwise import RecordingError, cross_validate_ridge, fit_receptive_fields, grid_positions, unmask
from voxelwise.plotting.slices import background_slice, draw_marked_slice
from voxelwise.widgets import explore_voxels, view_planes
from voxelwise.widgets.fragment import pack_decimals


@pytest.fixture(scope="module")
def brain():
    """A recording unlike the book's: axes in another order, the left on the right, gaps in the mask, 9 x 7 pixels."""
    rng = np.random.default_rng(5)
    affine = np.array([[0, 0, -2.5, 14], [-2.0, 0, 0, 20], [0, 3.0, 0, -15], [0, 0, 0, 1]])
    mask = np.zeros((24, 20, 12), dtype=np.uint8)
    mask[8:15, 5:12, 3:10] = rng.random((7, 7, 7)) < 0.7
    mask_img = nibabel.Nifti1Image(mask, affine)
    n_voxels = int(mask.sum())
    scores = (rng.normal(0.15, 0.25, n_voxels) + rng.normal(0, 0.05, (4, n_voxels))).clip(-0.9, 0.9)
    fields = rng.normal(0, 0.4, (n_voxels, 9, 7)) * (rng.random((n_voxels, 9, 7)) < 0.15)
    background = nibabel.Nifti1Image(rng.random(mask.shape).astype(np.float32), affine)
    marked = rng.choice(n_voxels, 3, replace=False).tolist()
    return SimpleNamespace(mask_img=mask_img, scores=scores, fields=fields, background=background, marked=marked)


@pytest.fixture(scope="module")
def fragment(brain):
    return explore_voxels(brain.scores, brain.fields, brain.mask_img, brain.background, brain.marked)


@pytest.fixture(scope="module")
def planes(brain):
    score_img = unmask(np.maximum(brain.scores.mean(axis=0), 0), brain.mask_img)
    return view_planes(score_img, brain.background)


@pytest.fixture
def visit(browser):
    """Open a page that holds the HTML; at the end, no error was logged and nothing asked of any host."""
    contexts, complaints = [], []

    def visit(html, body="", head="", **options):
        context = browser.new_context(**{"viewport": {"width": 1000, "height": 900}} | options)
        contexts.append(context)
        context.route("**/*", lambda route: (complaints.append(route.request.url), route.abort()))
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_content(
            f'<!doctype html><html lang="en" {head}><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width"><body {body}><main><h1>A page</h1>{html}</main>'
        )
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []


# What is in the page


def test_all_voxels_are_in_the_page(brain, fragment):
    arrays = decoded(fragment.html)
    half = arrays.raw["scores"]["unit"] / 2
    expected = np.stack([brain.scores.mean(axis=0), brain.scores.min(axis=0), brain.scores.max(axis=0)], axis=1)
    np.testing.assert_allclose(arrays.scores, expected, rtol=0, atol=half * 1.001)
    np.testing.assert_allclose(arrays.fields, brain.fields, rtol=0, atol=half * 1.001)
    np.testing.assert_array_equal(arrays.positions, np.argwhere(brain.mask_img.get_fdata()))
    assert arrays.raw["colours"]["score"]["limit"] >= expected[:, 0].max()
    beyond = (np.abs(brain.fields).max(axis=(1, 2)) > arrays.raw["colours"]["field"]["limit"]).mean()
    assert beyond <= 0.011


@pytest.mark.parametrize("size", [1e-9, 0.3, 3.2, 40, 2e6])
def test_numbers_of_any_size_keep_four_digits(size):
    values = np.linspace(-size, size, 11)
    packed = pack_decimals(values)
    assert packed["unit"] <= max(1e-4, size / 3000)
    np.testing.assert_allclose(unpacked(packed["values"]) * packed["unit"], values, rtol=0, atol=packed["unit"] * 0.501)


def test_slices_are_those_of_the_map(brain, fragment):
    """Every voxel lies where the figure of the chapter paints it, on a slice of its height, over the same background."""
    arrays = decoded(fragment.html)
    score_img = unmask(np.ones(len(arrays.places)), brain.mask_img)
    canonical = nibabel.as_closest_canonical(score_img)
    offset = None
    for k in range(arrays.raw["shape"][2]):
        here = np.flatnonzero(arrays.places[:, 2] == k)
        ax = matplotlib.figure.Figure().add_subplot()
        z = draw_marked_slice(ax, score_img, None, arrays.positions[here[:1]])
        assert arrays.raw["heights"][k] == pytest.approx(z)
        rows, columns = np.nonzero(~np.ma.getmaskarray(ax.images[0].get_array()))
        painted = np.stack([columns, rows], axis=1)
        mine = arrays.places[here, :2]
        shift = painted.min(axis=0) - mine.min(axis=0)
        offset = shift if offset is None else offset
        assert (shift == offset).all() and {*map(tuple, painted)} == {*map(tuple, mine + shift)}

        n_columns, n_rows, _ = arrays.raw["shape"]
        under, fine = arrays.raw["background"], arrays.raw["background"]["fineness"]
        row, column = divmod(k, under["columns"])
        width, height = n_columns * fine, n_rows * fine
        tile = picture(under["picture"])[row * height :, column * width :][:height, :width]
        slice_k = round((z - canonical.affine[2, 3]) / canonical.affine[2, 2])
        whole = background_slice(brain.background, canonical, slice_k)
        left, bottom = offset * fine
        seen = whole[left : left + width, bottom : bottom + height].T[::-1]
        assert np.corrcoef(seen.ravel(), tile.ravel())[0, 1] > 0.999


def test_left_is_left_and_front_is_up(brain, fragment):
    arrays = decoded(fragment.html)
    x, y, z = nibabel.affines.apply_affine(brain.mask_img.affine, arrays.positions).T
    for place, millimetres in zip(arrays.places.T, (x, y, z), strict=True):
        assert np.corrcoef(place, millimetres)[0, 1] == pytest.approx(1)


def test_regions_are_named_for_each_voxel(brain):
    n_voxels = brain.scores.shape[1]
    rng = np.random.default_rng(0)
    regions = pd.DataFrame(rng.random((n_voxels, 3)) < 0.3, columns=["LHV1d", "</script>", "a"])
    html = explore_voxels(brain.scores, brain.fields, brain.mask_img, regions=regions).html
    raw = decoded(html).raw["regions"]
    told = [raw["names"][number] for number in unpacked(raw["numbers"])]
    assert told == [", ".join(regions.columns[inside]) for inside in regions.to_numpy()]
    assert html.count("</script>") == 2, "a region's name does not end the script"


def test_without_marks_the_best_voxel_is_marked(brain):
    inputs = dict(scores=brain.scores, fields=brain.fields, mask_img=brain.mask_img)
    best = int(brain.scores.mean(axis=0).argmax())
    assert best != 0
    for asked, expected in ([], [best]), ([3, 1], [3, 1]):
        marked = data_of(explore_voxels(**inputs, marked=asked).html)["marked"]
        assert [mark["voxel"] for mark in marked] == expected


def test_few_voxels_no_background_no_mark(visit):
    """One voxel at the corner of the grid: it is the marked one."""
    mask = np.zeros((3, 4, 5), np.uint8)
    mask[0, 3, 4] = 1
    fragment = explore_voxels(np.array([[0.1], [-0.2]]), np.zeros((1, 2, 3)), nibabel.Nifti1Image(mask, np.eye(4)))
    page = visit(fragment.html)
    page.locator(".brain-voxels .stage canvas").press("ArrowRight")
    hear(page, "No voxel")
    assert page.locator(".brain-voxels dd").all_inner_texts() == [
        "−0.05",
        "−0.20 to 0.10",
        "(0, 3, 4)",
        "0, 3, 4 mm",
        "none",
    ]
    assert_shows(page, 0, fragment.html, np.zeros((1, 2, 3)))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (dict(scores=np.zeros((4, 3))), "3 voxels; the mask has"),
        (dict(fields=np.zeros((5, 9, 7))), "5 voxels; the mask has"),
        (dict(regions=pd.DataFrame({"V1": [True]})), "1 voxels; the mask has"),
        (dict(scores=np.zeros(240)), r"\(n_splits, n_voxels\)"),
        (dict(nan=True), "not a finite number"),
        (dict(marked=[0, 1, 2, 3, 4]), "up to four"),
        (dict(marked=[100000]), "up to four columns from 0"),
    ],
)
def test_what_does_not_fit_is_refused(brain, change, told):
    inputs = dict(scores=brain.scores, fields=brain.fields, mask_img=brain.mask_img)
    if change.pop("nan", False):
        change["scores"] = np.where(brain.scores == brain.scores.max(), np.nan, brain.scores)
    with pytest.raises(RecordingError, match=told):
        explore_voxels(**inputs | change)


def test_the_planes_refuse_a_place_off_the_grid(brain):
    with pytest.raises(RecordingError, match="No voxel at"):
        view_planes(unmask(np.ones(len(grid_positions(brain.mask_img))), brain.mask_img), position=(24, 0, 0))


def test_output_is_the_same_each_time_and_names_no_host(brain, fragment, planes):
    again = explore_voxels(brain.scores, brain.fields, brain.mask_img, brain.background, brain.marked)
    assert again.html == fragment.html and repr(again) == repr(fragment)
    for shown in (fragment, planes):
        assert not re.search(r"https?:|src=\"/|@import|url\(", shown.html)
        assert "0x" not in repr(shown)


def test_the_stored_page_holds_what_the_recording_gives(samples):
    """Within one step of the last digit that is kept: another machine may round another way."""
    arrays = decoded(stored("voxels"))
    scores, fields = cross_validate_ridge(samples), fit_receptive_fields(samples)
    expected = np.stack([scores.mean(axis=0), scores.min(axis=0), scores.max(axis=0)], axis=1)
    np.testing.assert_allclose(arrays.scores, expected, rtol=0, atol=arrays.raw["scores"]["unit"])
    np.testing.assert_allclose(arrays.fields, fields, rtol=0, atol=arrays.raw["fields"]["unit"])
    np.testing.assert_array_equal(arrays.positions, grid_positions(samples.mask_img))

    raw = data_of(stored("planes"))
    painted = scores.mean(axis=0)[scores.mean(axis=0) > 1e-6]
    found = unpacked(raw["scores"]["values"]) * raw["scores"]["unit"]
    np.testing.assert_allclose(np.sort(found), np.sort(painted), rtol=0, atol=raw["scores"]["unit"])


def test_scripts_are_in_the_book_once():
    texts = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "book").glob("*.ipynb"))]
    for sign in ("function neighbour(", "function layOut(", "function startBrainsprite(", "/*! brainsprite"):
        assert sum(text.count(sign) for text in texts) == 1
    assert CHAPTER.stat().st_size < 2_000_000


# By mouse, keyboard and finger


def test_the_mouse_shows_the_voxel_it_points_at(brain, fragment, visit):
    page = visit(fragment.html)
    first = brain.marked[0]
    assert_shows(page, first, fragment.html, brain.fields)
    arrays, others = decoded(fragment.html), in_slice_of(fragment.html, first)
    for column in (others[0], others[len(others) // 2], others[-1]):
        page.mouse.move(*spot(page, fragment.html, column))
        assert_shows(page, column, fragment.html, brain.fields)
        facts = dict(
            zip(*(page.locator(f".brain-voxels {tag}").all_inner_texts() for tag in ("dt", "dd")), strict=True)
        )
        mean, low, high = (f"{value:.2f}".replace("-", "−") for value in arrays.scores[column])
        assert facts["Mean R²"] == mean and facts["R² of folds"] == f"{low} to {high}"
        assert facts["Grid (i, j, k)"] == f"({', '.join(map(str, arrays.positions[column]))})"
    page.mouse.move(1, 1)
    assert_shows(page, first, fragment.html, brain.fields)
    page.mouse.click(*spot(page, fragment.html, others[0]))
    page.mouse.move(1, 1)
    assert_shows(page, others[0], fragment.html, brain.fields)


def test_scores_have_their_colours_and_marked_voxels_their_frames(brain, fragment, visit):
    page = visit(fragment.html)
    arrays = decoded(fragment.html)
    n_columns, n_rows, _ = arrays.raw["shape"]
    here = in_slice_of(fragment.html, brain.marked[0])
    x, y = (arrays.places[here, 0] + 0.2) / n_columns, (n_rows - arrays.places[here, 1] - 0.8) / n_rows
    colours = pixel_colours(page, ".brain-voxels .stage canvas", x, y)  # beside the letters
    mean = arrays.scores[here, 0]
    expected = 255 * matplotlib.colormaps["plasma"](mean / arrays.raw["colours"]["score"]["limit"])[:, :3]
    np.testing.assert_allclose(colours[mean > 0], expected[mean > 0], atol=CLEAR)
    assert np.ptp(colours[mean <= 0], axis=1).max() < 40, "no score: grey"
    edge = x[here == brain.marked[0]] - 0.18 / n_columns
    frame = pixel_colours(page, ".brain-voxels .stage canvas", edge, y[here == brain.marked[0]])
    np.testing.assert_allclose(frame[0], 255 * np.array(matplotlib.colors.to_rgb("#56B4E9")), atol=CLEAR)


DIRECTIONS = {"ArrowLeft": (-1, 0), "ArrowRight": (1, 0), "ArrowUp": (0, 1), "ArrowDown": (0, -1)}


def straight_on(places, column, direction):
    """The next voxel in the row or column of the slice, looked for step by step; None where there is none."""
    occupied = {tuple(place): number for number, place in enumerate(places.tolist())}
    c, r, k = places[column].tolist()
    for step in range(1, 100):
        found = occupied.get((c + step * direction[0], r + step * direction[1], k))
        if found is not None:
            return found
    return None


def test_arrow_keys_go_to_the_neighbour_over_gaps(brain, fragment, visit):
    page = visit(fragment.html)
    places, column = decoded(fragment.html).places, brain.marked[0]
    page.keyboard.press("Tab")
    n_gaps = 0
    for key in np.random.default_rng(0).choice(list(DIRECTIONS), 25).tolist():
        expected = straight_on(places, column, DIRECTIONS[key])
        page.keyboard.press(key)
        if expected is None:
            expected = int(page.locator(".brain-voxels").get_attribute("data-pinned"))
            ahead = (places[expected] - places[column])[:2] @ DIRECTIONS[key]
            if expected == column:
                hear(page, "No voxel")
            else:
                assert ahead > 0
        else:
            n_gaps += np.abs(places[expected] - places[column]).sum() > 1
        assert_shows(page, expected, fragment.html, brain.fields)
        column = expected
    assert n_gaps > 0


def test_page_keys_buttons_and_slider_go_through_the_slices(brain, fragment, visit):
    page = visit(fragment.html)
    places = decoded(fragment.html).places
    home = places[brain.marked[0]]

    def nearest(k):
        here = np.flatnonzero(places[:, 2] == k)
        far = ((places[here, :2] - home[:2]) ** 2).sum(axis=1)
        return {str(column) for column in here[far == far.min()]}

    canvas, root = page.locator(".brain-voxels .stage canvas"), page.locator(".brain-voxels")
    k = home[2]
    for press, step in (
        (lambda: canvas.press("PageUp"), 1),
        (lambda: page.get_by_role("button", name="Slice below").click(), -1),
        (lambda: page.get_by_role("button", name="Slice below").click(), -1),
        (lambda: page.get_by_role("slider").press("ArrowRight"), 1),
        (lambda: canvas.press("PageDown"), -1),
    ):
        k = min(max(k + step, 0), places[:, 2].max())
        press()
        assert root.get_attribute("data-slice") == str(k) and root.get_attribute("data-voxel") in nearest(k)
        assert_shows(page, int(root.get_attribute("data-voxel")), fragment.html, brain.fields)
        z = decoded(fragment.html).raw["heights"][k]
        assert page.locator(".brain-voxels .height").inner_text() == f"z = {z:g} mm".replace("-", "−")


def test_letters_bring_the_marked_voxels(brain, fragment, visit):
    page = visit(fragment.html)
    for letter, column in zip("BCA", [*brain.marked[1:], brain.marked[0]], strict=True):
        button = page.get_by_role("button", name=f"Voxel {letter}")
        button.click()
        assert_shows(page, column, fragment.html, brain.fields)
        assert button.get_attribute("aria-pressed") == "true"
        hear(page, f"marked {letter}")


def test_a_finger_taps_and_is_drawn_across(brain, fragment, visit):
    page = visit(
        fragment.html, viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, device_scale_factor=3
    )
    others = in_slice_of(fragment.html, brain.marked[0])
    for column in others[[0, -1]]:
        page.locator(".brain-voxels .stage canvas").scroll_into_view_if_needed()
        page.touchscreen.tap(*spot(page, fragment.html, column))
        assert page.locator(".brain-voxels").get_attribute("data-pinned") == str(column)
        assert_shows(page, column, fragment.html, brain.fields)
    touch = page.context.new_cdp_session(page)
    start, end = (spot(page, fragment.html, column) for column in others[[-1, 0]])
    aside = (start[0] + 30, start[1])
    for kind, points in (("touchStart", [start]), ("touchMove", [aside]), ("touchMove", [end]), ("touchEnd", [])):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})
    assert page.locator(".brain-voxels").get_attribute("data-pinned") == str(others[0])
    assert_shows(page, others[0], fragment.html, brain.fields)


def test_the_chapter_shows_its_known_voxel(samples, visit):
    """Voxel B of the chapter, found by the mouse and by the keys in the page as it is stored."""
    html = stored("voxels")
    column = 1951
    fields = np.zeros((samples.responses.shape[1], *samples.stimulus_shape))
    fields[[column, 1780]] = fit_receptive_fields(samples, [column, 1780])
    page = visit(html)
    assert_shows(page, 1780, html, fields)
    page.mouse.move(*spot(page, html, column))
    assert_shows(page, column, html, fields)
    page.mouse.move(1, 1)
    page.locator(".brain-voxels .stage canvas").press("ArrowLeft")
    assert_shows(page, column, html, fields)


def test_a_finger_scrolls_the_page_past_the_slice(brain, fragment, planes, visit):
    """What was chosen stays chosen."""
    page = visit(
        fragment.html + planes.html + '<div style="height: 2000px"></div>',
        viewport={"width": 360, "height": 740},
        has_touch=True,
        is_mobile=True,
    )
    page.locator(".brain-planes .parts").wait_for()
    touch = page.context.new_cdp_session(page)
    for kind in ("voxels", "planes"):
        root = page.locator(f".brain-{kind}")
        root.evaluate("(root) => root.scrollIntoView()")
        chosen, start = root.evaluate("(root) => [root.dataset.pinned ?? root.dataset.position, scrollY]")
        box = root.locator(".stage canvas").first.bounding_box()
        x, y = box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"]
        moves = [("touchMove", [y - 20 * n]) for n in range(1, 9)]
        for kind, heights in (("touchStart", [y]), *moves, ("touchEnd", [])):
            points = [{"x": x, "y": height} for height in heights]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        page.wait_for_function("(start) => scrollY > start + 80", arg=start)
        assert root.evaluate("(root) => root.dataset.pinned ?? root.dataset.position") == chosen


def test_a_screen_reader_is_told_once(brain, fragment, planes, visit):
    """Not while the mouse points here and there, and once where a key is held: of the place it ends at."""
    page = visit(fragment.html + planes.html)
    page.locator(".brain-planes .parts").wait_for()
    page.evaluate("""() => {
      window.heard = [];
      const hear = ([{ target }]) => window.heard.push(target.textContent);
      for (const line of document.querySelectorAll("[role=status]"))
        new MutationObserver(hear).observe(line, { childList: true });
    }""")
    for column in in_slice_of(fragment.html, brain.marked[0])[:5]:
        page.mouse.move(*spot(page, fragment.html, column))
    page.mouse.move(1, 1)
    hold = """(element, [type, changes]) => {
      for (const change of changes) {
        if (type === "input") element.value = change;
        element.dispatchEvent(
          type === "input" ? new Event(type) : new KeyboardEvent(type, { key: change, bubbles: true }));
      }
    }"""
    page.locator(".brain-voxels .stage canvas").evaluate(hold, ["keydown", ["ArrowRight", "ArrowLeft", "PageUp"]])
    column = page.locator(".brain-voxels").get_attribute("data-pinned")
    hear(page, f"Voxel {column}")
    page.locator(".brain-planes input").first.evaluate(hold, ["input", [2, 3, 4]])
    told = page.locator(".brain-planes .told").inner_text()
    hear(page, told, "planes")
    first, second = page.evaluate("heard")
    mean, low, high = (f"{value:.2f}".replace("-", "−") for value in decoded(fragment.html).scores[int(column)])
    assert f"Mean R² {mean}; R² of folds {low} to {high}" in first and "Strongest pixel" in first
    assert second == told


# On any page


@pytest.mark.parametrize("kind", ["voxels", "planes"])
def test_without_scripts_a_picture_stands_in(kind, fragment, planes, visit):
    html = {"voxels": fragment, "planes": planes}[kind].html
    page = visit(html, java_script_enabled=False)
    still = page.get_by_role("img")
    assert still.count() == 1 and len(still.get_attribute("alt")) > 60
    box = still.bounding_box()
    assert box["width"] > 500 and box["height"] > 200
    shot = np.asarray(Image.open(io.BytesIO(still.screenshot())).convert("RGB"), dtype=float)
    assert np.ptp(shot, axis=2).max() > 100, "a colour picture was drawn"
    with_scripts = visit(html)
    with_scripts.locator(f".brain-{kind} .parts").wait_for()
    assert with_scripts.locator("img").count() == 0


def test_two_on_one_page_do_not_disturb_each_other(brain, fragment, planes, visit):
    page = visit(fragment.html + planes.html + fragment.html + planes.html)
    page.locator(".brain-planes .parts").nth(1).wait_for()
    both = page.locator(".brain-voxels")
    both.nth(1).get_by_role("button", name="Voxel B").click()
    assert [both.nth(n).get_attribute("data-voxel") for n in (0, 1)] == [str(column) for column in brain.marked[:2]]
    assert page.evaluate("document.querySelectorAll('main [id]').length") == 0
    names = page.evaluate("Object.keys(window).filter((name) => /brain|explore|decode|make/i.test(name))")
    assert names == [], "no name is left on the page"


@pytest.mark.parametrize("ratio", [1, 1.25, 3])
@pytest.mark.parametrize("width", [320, 1000])
def test_voxels_are_crisp_and_the_page_is_not_too_wide(fragment, planes, visit, width, ratio):
    page = visit(fragment.html + planes.html, viewport={"width": width, "height": 800}, device_scale_factor=ratio)
    page.locator(".brain-planes .parts").wait_for()
    n_columns, n_rows, _ = data_of(fragment.html)["shape"]
    for selector, n in ((".stage canvas", n_columns), (".field canvas", 7)):
        pixels, css = page.locator(f".brain-voxels {selector}").evaluate(
            "(c) => [c.width, c.getBoundingClientRect().width]"
        )
        assert pixels % n == 0 and css * ratio == pytest.approx(pixels, abs=0.1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for target in page.get_by_role("button").all() + page.get_by_role("slider").all():
        box = target.bounding_box()
        assert box["height"] >= 44 and box["width"] >= 44
    slice_box, field_box = (page.locator(f".brain-voxels {name}").bounding_box() for name in (".stage", ".field"))
    beside = field_box["x"] >= slice_box["x"] + slice_box["width"]
    assert beside == (width == 1000)
    bottom = field_box["y"] + field_box["height"] - slice_box["y"]
    assert bottom < 700, "slice and field are in sight together"


def test_it_fits_itself_to_a_new_width(fragment, visit):
    page = visit(fragment.html)
    page.set_viewport_size({"width": 340, "height": 800})
    page.wait_for_function("document.querySelector('.brain-voxels .stage canvas').getBoundingClientRect().width < 340")
    assert page.evaluate("document.documentElement.scrollWidth") <= 340


def test_on_paper_there_are_no_buttons_and_nothing_is_cut_off(fragment, planes, visit):
    """A page that is printed gets its width without word to its scripts."""
    silent = "<script>window.ResizeObserver = class { observe() {} }</script>"
    page = visit(silent + fragment.html + planes.html)
    page.locator(".brain-planes .parts").wait_for()
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 700, "height": 900})
    assert page.get_by_role("button").count() == page.get_by_role("slider").count() == 0
    for kind in ("voxels", "planes"):
        plate = page.locator(f".brain-{kind}").bounding_box()
        for canvas in page.locator(f".brain-{kind} canvas").all():
            box = canvas.bounding_box()
            assert plate["x"] <= box["x"] and box["x"] + box["width"] <= plate["x"] + plate["width"]
    ratios = "(canvas) => [canvas.width / canvas.height, canvas.clientWidth / canvas.clientHeight]"
    drawn, shown = page.locator(".brain-voxels .field canvas").evaluate(ratios)
    assert shown == pytest.approx(drawn, rel=0.01)


DARK_PAGES = {
    "book light": dict(head='data-theme="light"', color_scheme="dark"),
    "book dark": dict(head='data-theme="dark"', color_scheme="light"),
    "lab light": dict(body='data-jp-theme-light="true"', color_scheme="dark"),
    "lab dark": dict(body='data-jp-theme-light="false"', color_scheme="light"),
    "plain light": dict(color_scheme="light"),
    "plain dark": dict(color_scheme="dark"),
}


@pytest.mark.parametrize("kind", DARK_PAGES)
def test_light_and_dark_follow_the_page_and_can_be_read(fragment, planes, visit, kind):
    page = visit(fragment.html + planes.html, **DARK_PAGES[kind])
    page.locator(".brain-planes .parts").wait_for()
    plate = page.locator(".brain-voxels").evaluate("(root) => getComputedStyle(root).backgroundColor")
    brightness = np.mean([int(number) for number in re.findall(r"\d+", plate)])
    assert brightness < 80 if kind.endswith("dark") else brightness > 200
    faults = Axe().run(page, context="main").response["violations"]
    assert [
        (fault["id"], fault["nodes"][0]["html"]) for fault in faults if fault["impact"] in ("serious", "critical")
    ] == []


def test_focus_is_seen(fragment, visit):
    page = visit(fragment.html)
    canvas = page.locator(".brain-voxels .stage canvas")
    page.keyboard.press("Tab")
    assert canvas.evaluate("(canvas) => canvas === document.activeElement")
    outlined = "(element) => getComputedStyle(element).outlineStyle"
    assert page.locator(".brain-voxels .stage").evaluate(outlined) == "solid"
    page.keyboard.press("Tab")
    assert page.locator(".brain-voxels button").first.evaluate(outlined) == "solid"


def test_jupyterlab_inserts_it_piece_by_piece(brain, fragment, visit):
    """As JupyterLab does: the HTML first, in which scripts are dead, then each script anew; its own keys are off."""
    page = visit('<div id="output"></div>', body='data-jp-theme-light="true"')
    page.evaluate(
        """(html) => {
          const output = document.getElementById("output");
          output.innerHTML = html;
          for (const dead of output.querySelectorAll("script")) {
            const script = document.createElement("script");
            for (const { name, value } of dead.attributes) script.setAttribute(name, value);
            script.textContent = dead.textContent;
            dead.replaceWith(script);
          }
        }""",
        fragment.html,
    )
    assert_shows(page, brain.marked[0], fragment.html, brain.fields)
    page.evaluate("document.addEventListener('keydown', (event) => { document.title += event.key; })")
    page.get_by_role("slider").press("ArrowRight")
    page.locator(".brain-voxels .stage canvas").press("b")
    assert page.title() == "A page", "the notebook would go to its next cell, or add one"
    page.keyboard.press("Control+s")
    assert page.title() == "A pageControls", "the notebook saves"


# The three planes


def plane_colours(page, place, shape):
    """What is drawn at a voxel in each of the three planes."""
    colours = []
    for number, (across, up) in enumerate(((1, 2), (0, 2), (0, 1)), start=1):
        x, y = (place[across] + 0.5) / shape[across], 1 - (place[up] + 0.5) / shape[up]
        colours += pixel_colours(page, f".brain-planes .stage:nth-child({number}) canvas", [x], [y]).tolist()
    return np.array(colours)


def test_all_planes_go_through_the_voxel_that_is_told(brain, planes, visit):
    """Moved by keys and by a click; the colour in each plane and the number below are the voxel's."""
    mean = brain.scores.mean(axis=0)
    positions = grid_positions(brain.mask_img)
    by_position = {tuple(map(int, position)): score for position, score in zip(positions, mean, strict=True)}
    raw = data_of(planes.html)
    shape, limit = raw["shape"], raw["colours"]["limit"]
    page = visit(planes.html)
    root = page.locator(".brain-planes")
    page.locator(".brain-planes .parts").wait_for()

    def assert_right():
        position = tuple(map(int, root.get_attribute("data-position").split()))
        score = by_position.get(position, 0)
        place = [int(slider.input_value()) for slider in page.get_by_role("slider").all()]
        world = nibabel.affines.apply_affine(brain.mask_img.affine, position)
        np.testing.assert_allclose(np.array(raw["affine"]) @ [*place, 1], world, atol=1e-3)
        told = page.locator(".brain-planes .told").inner_text()
        assert told == f"Grid {position}: " + (f"R² {score:.2f}" if score > 0 else "not painted")
        if score > 0:
            expected = 255 * np.array(matplotlib.colormaps["plasma"](score / limit)[:3])
            np.testing.assert_allclose(plane_colours(page, place, shape), np.tile(expected, (3, 1)), atol=CLEAR)
        return position

    assert by_position[assert_right()] == mean.max()
    painted = 0
    for number, key in itertools.product(range(3), ["ArrowLeft", "ArrowLeft", "ArrowRight"]):
        page.get_by_role("slider").nth(number).press(key)
        painted += assert_right() in by_position
    assert painted > 0
    box = page.locator(".brain-planes .stage canvas").nth(2).bounding_box()
    place = unpacked(raw["places"]).reshape(-1, 3)[0]
    x, y = (place[0] + 0.5) / shape[0], (shape[1] - place[1] - 0.5) / shape[1]
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    assert_right()
    assert [slider.input_value() for slider in page.get_by_role("slider").all()[:2]] == [str(place[0]), str(place[1])]


def test_the_map_of_the_planes_shows_nothing_where_there_is_none(visit):
    """An empty map, no background: black planes, and a sentence."""
    page = visit(view_planes(nibabel.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.eye(4))).html)
    page.locator(".brain-planes .parts").wait_for()
    assert page.locator(".brain-planes .told").inner_text() == "Grid (0, 0, 0): not painted"
    assert plane_colours(page, (0, 0, 0), (4, 5, 6)).max() == 0
