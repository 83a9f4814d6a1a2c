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
from tests.notebooks import ROOT, compare_outputs


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


def test_a_shift_of_text_is_forgiven_and_a_shift_of_a_curve_is_not(tmp_path, monkeypatch):
    monkeypatch.setattr(pictures, "FOLDER", pictures.ROOT / "_build" / "differences" / tmp_path.name)
    canvas = FigureCanvasAgg(Figure(figsize=(6, 2.5), dpi=100))
    ax = canvas.figure.subplots()
    (line,) = ax.plot(x := np.linspace(0, 1, 200), np.sin(7 * x))
    ax.set(xlabel="time", ylabel="response", title="A voxel", ylim=(-1.2, 1.2))
    canvas.draw()
    stored = np.array(canvas.buffer_rgba(), float)
    assert pictures.compare_pictures(stored, np.roll(stored, 1, axis=1), "same") is None
    assert not pictures.FOLDER.exists()
    line.set_ydata(line.get_ydata() + 0.07)
    canvas.draw()
    assert "the content differs" in pictures.compare_pictures(stored, np.array(canvas.buffer_rgba(), float), "curve")
    assert len(list(pictures.FOLDER.glob("curve-*.png"))) == 3
    assert "text or edges moved" in pictures.compare_pictures(stored, np.roll(stored, 3, axis=0), "text")
    assert "600 x 250 pixels and had 600 x 249" in pictures.compare_pictures(stored[1:], stored, "size")
    shutil.rmtree(pictures.FOLDER)
