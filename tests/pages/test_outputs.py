"""The comparison of stored outputs catches what nbval lets pass."""

import base64
import io
import shutil
import subprocess
import sys

import nbformat
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nbformat import v4
from PIL import Image

from tests import pictures
from tests.notebooks import ROOT, compare_outputs, without_data


def png(colour):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def test_only_the_numbers_of_a_picture_to_touch_may_differ():
    printed = v4.new_output("stream", name="stdout", text="R2 = 0.6\n")
    with pytest.raises(AssertionError, match="here: other outputs"):
        compare_outputs([], [printed], "here")
    page = '<div class="brain-fragment"><p>seen</p>{}</div>'
    assert without_data(page.format("Ab+/" * 20)) == without_data(page.format("Cd+/" * 30))
    assert without_data(page.format("Ab+/" * 20)) != without_data(page.replace("seen", "gone").format("Ab+/" * 20))
    assert without_data("Ab+/" * 20) == "Ab+/" * 20


def test_nbval_compares_with_it(tmp_path):
    """Two cells show a red picture; nbval alone passes the one that has a blue one stored."""
    source = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode({png('red')!r}))"
    text, cells = "<IPython.core.display.Image object>", []
    for number, colour in enumerate(("red", "blue"), start=1):
        shown = {"image/png": png(colour), "text/plain": text}
        outputs = [v4.new_output("execute_result", shown, execution_count=number)]
        metadata = {"mystnb": {"figure": {"name": f"fig-{colour}"}}}
        cells.append(v4.new_code_cell(source, execution_count=number, outputs=outputs, metadata=metadata))
    nbformat.write(v4.new_notebook(cells=cells), tmp_path / "two.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-v", "-p", "no:cacheprovider", tmp_path]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True).stdout
    assert "two.ipynb::Cell 0 PASSED" in said, said
    assert "two.ipynb, Cell 1 (fig-blue): 100.00% of its pixels differ: the content differs; see" in said
    assert "other than in the lock" in said


def draw(moved=0, cmap="viridis", panels=2):
    """A figure with a curve and a map, in pixels."""
    canvas = FigureCanvasAgg(Figure(figsize=(6, 2.5), dpi=100))
    left, right = canvas.figure.subplots(1, 2)
    x = np.linspace(0, 1, 200)
    left.plot(x, np.sin(7 * x) + 2.4 * moved)
    left.set(xlabel="time", ylabel="response", title="A voxel", ylim=(-1.2, 1.2))
    right.imshow(np.outer(x, x), cmap=cmap)
    right.set_visible(panels == 2)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba()).astype(float)


def test_a_shift_of_text_is_forgiven_and_a_shift_of_a_curve_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "FOLDER", pictures.ROOT / "_build" / "differences" / tmp_path.name)
    stored = draw()
    assert pictures.compare_pictures(stored, np.roll(stored, 1, axis=1), "same") is None
    assert not pictures.FOLDER.exists()
    for name, other in dict(curve=draw(0.03), colours=draw(cmap="plasma"), panel=draw(panels=1)).items():
        assert "the content differs" in pictures.compare_pictures(stored, other, name)
        assert len(list(pictures.FOLDER.glob(f"{name}-*.png"))) == 3
    assert "text or edges moved" in pictures.compare_pictures(stored, np.roll(stored, 3, axis=0), "text")
    assert "600 x 250 pixels and had 600 x 249" in pictures.compare_pictures(stored[1:], stored, "size")
    shutil.rmtree(pictures.FOLDER)
