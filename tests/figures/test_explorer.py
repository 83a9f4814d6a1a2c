"""The pictures to touch: what is in them, and what a reader with a mouse, a finger, a keyboard or no scripts sees."""

import itertools
import re

import nibabel
import numpy as np
import pandas as pd
import pytest
from nibabel.affines import apply_affine

from tests.figures import explored
from tests.figures.explored import PHONE, ask, assert_field, assert_painted, assert_shows, data_of, spot
from voxelwise import grid_positions, unmask
from voxelwise.simulation.cortex import gaussian_weights
from voxelwise.widgets import explore_voxels, view_planes


def make_brain():
    """A recording unlike the book's: axes in another order, the left on the right, gaps in the mask, 9 x 7 pixels."""
    rng = np.random.default_rng(5)
    affine = np.array([[0, 0, -2.25, 14.2], [-2.0, 0, 0, 20], [0, 3.0, 0, -15], [0, 0, 0, 1]])
    mask = np.zeros((24, 20, 12), dtype=np.uint8)
    mask[8:15, 5:12, 3:10] = rng.random((7, 7, 7)) < 0.7
    n_voxels = int(mask.sum())
    return dict(
        scores=(rng.normal(0.15, 0.25, n_voxels) + rng.normal(0, 0.05, (4, n_voxels))).clip(-0.9, 0.9),
        fields=rng.normal(0, 0.4, (n_voxels, 9, 7)) * (rng.random((n_voxels, 9, 7)) < 0.15),
        mask_img=nibabel.Nifti1Image(mask, affine),
        background=nibabel.Nifti1Image(rng.random(mask.shape).astype(np.float32), affine),
        marked=rng.choice(n_voxels, 3, replace=False).tolist(),
        regions=pd.DataFrame(rng.random((n_voxels, 3)) < 0.3, columns=["LHV1d", "</script>", "a"]),
        courses=(rng.normal(0, 1, (30, n_voxels)), rng.normal(0, 1, (5, n_voxels))[np.arange(30) // 4 % 5]),
        truth=pd.DataFrame(rng.uniform(1, 7, (n_voxels, 4)), columns=["row", "column", "size", "share"]),
    )


ROOT = ".brain-voxels"
BRAIN = make_brain()
MARKED, REGIONS, MASK = BRAIN["marked"], BRAIN["regions"], BRAIN["mask_img"]


@pytest.fixture(scope="module")
def html():
    return explore_voxels(**BRAIN).html


def known(page, name):
    """What the explorer's page knows of all voxels."""
    voxels = range(len(BRAIN["fields"]))
    return np.array(ask(page, "voxels", f"given.map((voxel) => model.{name}(voxel))", voxels))


def test_all_voxels_are_in_the_page(html, page):
    scores, fields = BRAIN["scores"], BRAIN["fields"].reshape(-1, 9 * 7)
    told = np.stack([scores.mean(axis=0), scores.min(axis=0), scores.max(axis=0)], axis=1)
    np.testing.assert_allclose(known(page, "score"), told, rtol=0, atol=0.501e-4)
    np.testing.assert_allclose(known(page, "field"), fields, rtol=0, atol=0.501e-4)
    np.testing.assert_array_equal(known(page, "position"), grid_positions(MASK))
    inside = [", ".join(REGIONS.columns[row]) or "none" for row in REGIONS.to_numpy()]
    np.testing.assert_array_equal(known(page, "region"), inside)
    assert html.count("</script>") == 2, "a region's name does not end the script"
    (best,) = data_of(explore_voxels(**BRAIN | dict(marked=())).html)["marked"]
    assert best["column"] == BRAIN["scores"].mean(axis=0).argmax() != 0, "without a mark, the best"


def test_slices_are_those_of_the_head(html, page):
    """Each voxel lies where it does in the image once that is turned: left, front, top; over the same background."""
    raw, numbers = data_of(html), np.arange(1, len(BRAIN["fields"]) + 1)
    turned = nibabel.as_closest_canonical(unmask(numbers, MASK))
    where = np.array([np.argwhere(turned.get_fdata() == number)[0] for number in numbers])
    ((left, back, bottom),) = np.unique(where - known(page, "place"), axis=0)
    heights, under = raw["heights"], raw["background"]
    z = turned.affine[2, 3] + turned.affine[2, 2] * (bottom + np.arange(len(heights)))
    np.testing.assert_allclose(heights, z, atol=1e-6)
    background = nibabel.as_closest_canonical(BRAIN["background"]).get_fdata()
    (width, height, _), fine = raw["shape"], under["fineness"]
    middles = explored.picture(under["picture"])[fine // 2 :: fine, fine // 2 :: fine]
    for k in range(len(heights)):
        row, column = divmod(k, under["columns"])
        tile = middles[row * height :, column * width :][:height, :width]
        seen = background[left : left + width, back : back + height, bottom + k].T[::-1]
        assert np.corrcoef(seen.ravel(), tile.ravel())[0, 1] > 0.998


def test_what_does_not_fit_is_refused():
    changes = dict(fields=BRAIN["fields"][:3]), dict(scores=np.nan * BRAIN["scores"]), dict(marked=[-1])
    for change, told in zip(changes, ("fields: 3 voxels", "expected finite", "columns from 0 to"), strict=True):
        with pytest.raises(ValueError, match=told):
            explore_voxels(**BRAIN | change)
    with pytest.raises(ValueError, match="No voxel at"):
        view_planes(MASK, position=(0, 0, -1))


def test_courses_and_true_fields_are_those_of_the_voxel(html, page):
    """Within 1 % of the largest response; the truth as high as the estimate, at the right place of stimuli 9 x 7."""
    courses, limit = np.array(BRAIN["courses"]), data_of(html)["colours"]["field"]["limit"]
    for voxel in (0, MARKED[0], len(BRAIN["fields"]) - 1):
        page.evaluate(f"location.hash = 'voxel={voxel}'")
        page.wait_for_function(f"document.querySelector('.brain-voxels').dataset.pinned === '{voxel}'")
        drawn = page.locator(".course path").evaluate_all("lines => lines.map(line => line.getAttribute('d'))")
        points = np.array([re.findall(r"[\d.]+", line) for line in drawn], float).reshape(2, -1, 2)
        most = 1.05 * max(1, np.abs(courses[0, :, voxel]).max())
        ys = most - (points[:, :, 1] - 8) * 2 * most / (190 - 8 - 38)
        np.testing.assert_allclose(ys, courses[:, :, voxel], atol=0.01 * np.abs(courses).max() + most / 600)
        field = gaussian_weights((9, 7), *(BRAIN["truth"].loc[[voxel], name] for name in ("row", "column", "size")))[0]
        field *= (BRAIN["fields"][voxel].max() or limit) / field.max()
        assert_field(page, ".field:last-child canvas", field.reshape(9, 7), limit)


def slice_of(page, column):
    """The voxels of the same slice."""
    height = known(page, "place")[:, 2]
    return np.flatnonzero(height == height[column])


def facts_of(page, column):
    """What is to be told of a voxel."""
    scores, field = ask(page, "voxels", "[model.score(given), model.field(given)]", column)
    (mean, low, high), field = (f"{score:.2f}" for score in scores), np.reshape(field, (9, 7))
    position = tuple(grid_positions(MASK)[column].tolist())
    x, y, z = (f"{mm:.0f}" for mm in apply_affine(MASK.affine, position))
    row, pixel = np.unravel_index(np.abs(field).argmax(), field.shape)
    inside = ", ".join(REGIONS.columns[REGIONS.loc[column]]) or "none"
    told = mean, f"{low} to {high}", f"{position}", f"{x}, {y}, {z} mm", inside
    return [text.replace("-", "−") for text in (*told, f"({row}, {pixel}): {field[row, pixel]:.2f}")]


def test_the_mouse_shows_the_voxel_it_points_at(html, visit):
    """The slice has the colours of its scores; what is pointed at shows, and what is clicked on stays."""
    page, first, raw = visit(html), MARKED[0], data_of(html)
    others, scores = slice_of(page, first), known(page, "score")[:, 0]
    positive = others[(scores[others] > 0) & ~np.isin(others, MARKED)]
    x, y, _ = (known(page, "place")[positive] + 0.5).T / np.transpose([raw["shape"]])
    limit = raw["colours"]["score"]["limit"]
    assert_painted(page, f"{ROOT} .stage canvas", x, 1 - y, scores[positive], "plasma", 0, limit)
    left, right = (page.get_by_text(letter, exact=True).bounding_box() for letter in "LR")
    assert left["x"] < right["x"]
    for column in (first, *others[[0, len(others) // 2, -1]]):
        page.mouse.move(*spot(page, column))
        assert_shows(page, column)
        assert page.locator(f"{ROOT} dd").all_inner_texts() == facts_of(page, column)
    page.mouse.move(1, 1)
    assert_shows(page, first)
    page.mouse.click(*spot(page, others[0]))
    page.mouse.move(1, 1)
    assert_shows(page, others[0])


def test_keys_go_to_the_neighbour_over_gaps_to_marked_voxels_and_through_the_slices(html, visit):
    """In 25 presses: to the next voxel straight on, looked for step by step; without one, to some voxel ahead."""
    page, column = visit(html), MARKED[0]
    places = known(page, "place")
    occupied = {tuple(place): number for number, place in enumerate(places.tolist())}
    turns = {"ArrowLeft": (-1, 0, 0), "ArrowRight": (1, 0, 0), "ArrowUp": (0, 1, 0), "ArrowDown": (0, -1, 0)}
    page.keyboard.press("Tab")
    for key in np.random.default_rng(0).choice(list(turns), 25).tolist():
        ahead = [tuple(places[column] + step * np.array(turns[key])) for step in range(1, 20)]
        straight = [occupied[place] for place in ahead if place in occupied]
        page.keyboard.press(key)
        before, column = column, int(page.locator(ROOT).get_attribute("data-pinned"))
        if straight:
            assert column == straight[0]
        else:
            assert column == before or (places[column] - places[before]) @ turns[key] > 0
    assert_shows(page, column)

    page.get_by_role("button", name="Voxel B").click()
    assert_shows(page, home := MARKED[1])
    told = f"Voxel {home}, marked B. Mean R² {facts_of(page, home)[0]}"
    page.locator(f"{ROOT} .status", has_text=told).wait_for(state="attached")  # for a screen reader
    canvas, below = page.locator(f"{ROOT} .stage canvas"), page.get_by_role("button", name="Slice below")
    slider, k = page.get_by_role("slider"), places[home, 2]
    steps = (canvas, "PageUp", 1), (below, "Enter", -1), (slider, "ArrowRight", 1), (canvas, "PageDown", -1)
    for element, key, step in steps:
        k = min(max(k + step, 0), places[:, 2].max())
        element.press(key)
        far = np.where(places[:, 2] == k, ((places - places[home])[:, :2] ** 2).sum(axis=1), np.inf)
        shown = int(page.locator(ROOT).get_attribute("data-voxel"))
        assert far[shown] == far.min(), "the nearest voxel of the slice"
        assert_shows(page, shown)


def test_a_finger_taps_draws_and_scrolls(html, visit):
    page = visit(html + '<div style="height: 2000px"></div>', **PHONE)
    first, *_, last = slice_of(page, MARKED[0])
    x, y = spot(page, last)
    explored.press(page, (x, y))
    assert_shows(page, last)
    explored.press(page, (x, y), (x + 30, y), spot(page, first))
    assert_shows(page, first)
    explored.swipe_up(page, *spot(page, last))
    assert_shows(page, first)


def test_all_planes_go_through_the_voxel_that_is_told(html, visit):
    """Moved by keys, by a click, and by the other picture; a page with a base names the voxel in its own address."""
    score_img = unmask(np.maximum(BRAIN["scores"].mean(axis=0), 0), MASK)
    planes, scores = view_planes(score_img, BRAIN["background"]).html, score_img.get_fdata()
    raw, page = data_of(planes), visit(f'<base href="https://example.org/">{html}{planes}')
    shape, sliders = raw["shape"], page.locator(".brain-planes").get_by_role("slider").all()
    stages = [f".brain-planes .stage:nth-child({number})" for number in (1, 2, 3)]
    ends = [page.locator(f"{stage} :is(.left, .right)").all_inner_texts() for stage in stages]
    assert ends == [["back", "front"], ["L", "R"], ["L", "R"]]

    def shown():
        position = tuple(map(int, page.locator(".brain-planes").get_attribute("data-position").split()))
        place, score = [int(slider.input_value()) for slider in sliders], scores[position]
        assert np.array(raw["affine"]) @ [*place, 1] == pytest.approx(apply_affine(MASK.affine, position), abs=1e-3)
        told = f"Grid {position}: " + (f"R² {score:.2f}" if score > 0 else "not painted")
        assert page.locator(".brain-planes .told").inner_text() == told
        for stage, (across, up) in zip(stages, ((1, 2), (0, 2), (0, 1)), strict=True):
            x, y = (place[across] + 0.5) / shape[across], (place[up] + 0.5) / shape[up]
            lines = page.locator(f"{stage} :is(.upright, .level)")
            drawn = lines.evaluate_all("([{ style }, other]) => [style.left, other.style.bottom].map(parseFloat)")
            assert drawn == pytest.approx([100 * x, 100 * y], abs=0.01)
            if score > 0:
                assert_painted(page, f"{stage} canvas", [x], [1 - y], [score], "plasma", 0, raw["colours"]["limit"])
        return position

    assert scores[shown()] == scores.max()
    for slider, key in itertools.product(sliders, ["ArrowLeft", "ArrowLeft", "ArrowRight"]):
        slider.press(key)
        shown()
    page.locator(".brain-planes .status", has_text=f"Grid {shown()}").wait_for(state="attached")  # for a screen reader
    place = explored.unpacked(raw["places"])[:3].tolist()
    x, y = (place[0] + 0.5) / shape[0], (place[1] + 0.5) / shape[1]
    page.mouse.click(*explored.on_page(page, f"{stages[2]} canvas", x, 1 - y))
    assert scores[shown()] > 0 and [int(slider.input_value()) for slider in sliders[:2]] == place[:2]

    page.get_by_role("button", name="Voxel C").click()
    assert shown() == tuple(grid_positions(MASK)[MARKED[2]])
    page.wait_for_function("hash => location.hash === hash", arg=f"#voxel={MARKED[2]}")  # a moment later
    sliders[0].press("ArrowLeft")
    voxels = unmask(np.arange(len(BRAIN["fields"])), MASK, outside=MARKED[2]).get_fdata()
    assert int(page.locator(ROOT).get_attribute("data-voxel")) == voxels[shown()]


def test_one_voxel_without_background_or_field_and_an_empty_map(visit):
    mask_img = nibabel.Nifti1Image(np.eye(1, 60, 19, dtype=np.uint8).reshape(3, 4, 5), np.eye(4))
    voxels = explore_voxels(np.array([[0.1], [-0.2]]), np.zeros((1, 2, 3)), mask_img).html
    page = visit(voxels + view_planes(nibabel.Nifti1Image(np.full((4, 5, 6), np.nan, np.float32), np.eye(4))).html)
    told = ["−0.05", "−0.20 to 0.10", "(0, 3, 4)", "0, 3, 4 mm", "none"]
    assert page.locator(f"{ROOT} dd").all_inner_texts() == told
    assert page.locator(".brain-planes .told").inner_text() == "Grid (0, 0, 0): not painted"
    assert_painted(page, ".brain-planes .stage:nth-child(3) canvas", [0.1], [0.9], [0], "gray", 0, 1)
