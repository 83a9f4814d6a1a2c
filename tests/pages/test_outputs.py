"""The comparison of stored outputs catches what nbval lets pass."""

import base64
import io
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4
from PIL import Image

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
    """Two notebooks whose cell shows a red picture; nbval alone passes the one that has a blue one stored."""
    source = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode({png('red')!r}))"
    metadata, text = {"mystnb": {"figure": {"name": "fig-red"}}}, "<IPython.core.display.Image object>"
    for colour in ("red", "blue"):
        shown = {"image/png": png(colour), "text/plain": text}
        outputs = [v4.new_output("execute_result", shown, execution_count=1)]
        cell = v4.new_code_cell(source, execution_count=1, outputs=outputs, metadata=metadata)
        nbformat.write(v4.new_notebook(cells=[cell]), tmp_path / f"{colour}.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-v", "-p", "no:cacheprovider", tmp_path]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "red.ipynb::Cell 0 PASSED" in ended.stdout, ended.stdout + ended.stderr
    assert "blue.ipynb, Cell 0 (fig-red): the picture differs by RMS" in ended.stdout
