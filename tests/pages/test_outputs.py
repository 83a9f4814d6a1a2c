"""The comparison of stored outputs catches what nbval lets pass."""

import base64
import gc
import io

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
from nbformat import v4
from PIL import Image

from tests import pictures
from tests.notebooks import ROOT, compare_outputs
from voxelwise.plotting.style import draw_screen, settle
from voxelwise.plotting.telling import draw_and_describe


def png(colour):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def page(numbers, said="seen"):
    packed = base64.b64encode(numbers).decode()
    return [v4.new_output("display_data", {"text/html": f'<div class="brain-fragment"><p>{said}</p>{packed}</div>'})]


def test_only_the_last_digits_of_a_picture_to_touch_may_differ():
    whole, floats = np.arange(-40, 40, dtype="<i2"), np.linspace(-1, 1, 80, dtype="<f4")
    compare_outputs(page(whole), page(whole + whole.dtype.type(1)), "here")
    compare_outputs(page(floats), page(floats + np.float32(1e-4)), "here")
    others = page(whole * whole.dtype.type(2)), page(whole[2:]), page(floats), page(whole, "gone"), []
    for stored, fresh in [(page(whole), other) for other in others] + [(page(floats), page(floats[::-1].copy()))]:
        with pytest.raises(AssertionError, match="here: other"):
            compare_outputs(stored, fresh, "here")


@pytest.mark.filterwarnings("ignore:unclosed file")  # nbval leaves one
def test_nbval_compares_with_it(tmp_path, capsys):
    """The cell shows a red picture and has a blue one stored, which nbval alone lets pass."""
    source = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode({png('red')!r}))"
    shown = {"image/png": png("blue"), "text/plain": "<IPython.core.display.Image object>"}
    cell = v4.new_code_cell(source, execution_count=1, outputs=[v4.new_output("execute_result", shown)])
    cell.metadata.mystnb = {"figure": {"name": "fig-blue"}}
    nbformat.write(v4.new_notebook(cells=[cell]), tmp_path / "one.ipynb")
    pytest.main(["-c", f"{ROOT}/pyproject.toml", "-v", "-p", "no:cacheprovider", str(tmp_path)])
    gc.collect()
    said = capsys.readouterr().out
    assert "one.ipynb, Cell 0 (fig-blue): the content differs, in " in said, said
    assert "other than in the lock" in said


def draw(font_size=11, rise=0, colours="plasma", title="A voxel", n_maps=2):
    """A curve on an axis of 2.4, and maps, as `show_figure` leaves them in a notebook."""
    x = np.linspace(0, 1, 200)
    with plt.rc_context({"font.size": font_size}):
        figure, (ax, *maps) = plt.subplots(1, 1 + n_maps, figsize=(8, 3), layout="constrained")
        ax.plot(x, np.sin(7 * x) + rise)
        ax.set(xlabel="time", ylabel="response", title=title, ylim=(-1.2, 1.2))
        for each in maps:
            draw_screen(each, x.reshape(10, 20), cmap=colours)
        picture, told = draw_and_describe(settle(figure))
        plt.close(figure)
    shown = {"image/png": base64.b64encode(picture).decode()}
    return v4.new_output("display_data", shown, metadata={"image/png": told})


def test_text_may_be_set_otherwise_and_what_is_drawn_may_not_move(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "ROOT", tmp_path)
    monkeypatch.setattr(pictures, "FOLDER", tmp_path / "differences")
    stored = draw()
    assert pictures.compare_pictures(stored, draw(font_size=10.5), "text") is None
    assert not pictures.FOLDER.exists()
    for change, said in [
        (dict(rise=0.03 * 2.4), "the content differs"),
        (dict(colours="viridis"), "the content differs"),
        (dict(n_maps=1), "2 panels and had 3"),
        (dict(title="No voxel"), "the text differs"),
    ]:
        assert said in pictures.compare_pictures(stored, draw(**change), "other")
    assert len(list(pictures.FOLDER.glob("other-*.png"))) == 3
