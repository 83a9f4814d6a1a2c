"""The comparison of stored outputs catches what nbval lets pass."""

import base64
import copy
import io
import os
import subprocess
import sys

import nbformat
import pytest
from nbformat import v4
from PIL import Image

from tests import notebooks
from tests.notebooks import ROOT, check_memory, compare_outputs, without_data


def show(colour):
    file = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(file, "png")
    png = base64.b64encode(file.getvalue()).decode()
    return v4.new_output("display_data", {"image/png": png, "text/plain": "<IPython.core.display.Image object>"})


def prints(text):
    return v4.new_output("stream", name="stdout", text=text)


STORED = [prints("R2 = 0.61\n"), show("red")]


def test_the_same_passes_however_the_stream_was_cut():
    compare_outputs(STORED, [prints("R2 ="), prints(" 0.61\n"), show("red")], "here")


@pytest.mark.parametrize(
    "changed",
    [
        [],
        STORED[:1],
        STORED[1:],
        [*STORED, show("red")],
        [prints("R2 = 0.62\n"), show("red")],
        [STORED[0], show("blue")],
    ],
    ids=["nothing", "no picture", "no text", "one more", "a digit", "a colour"],
)
def test_whatever_is_missing_or_changed_is_seen(changed):
    for pair in ((STORED, changed), (changed, STORED)):
        with pytest.raises(AssertionError, match="here: "):
            compare_outputs(*copy.deepcopy(pair), "here")


def test_only_the_numbers_of_a_picture_to_touch_may_differ():
    page = '<div class="brain-fragment"><p>seen</p>{}</div>'
    assert without_data(page.format("Ab+/" * 20)) == without_data(page.format("Cd+/" * 30))
    assert without_data(page.format("Ab+/" * 20)) != without_data(page.replace("seen", "gone").format("Ab+/" * 20))
    assert without_data("Ab+/" * 20) == "Ab+/" * 20


def test_memory_beyond_the_limit_is_seen(monkeypatch):
    check_memory(os.getpid())
    monkeypatch.setattr(notebooks, "MAX_MEMORY", 3.1e7)
    with pytest.raises(AssertionError, match="GB of memory"):
        check_memory(os.getpid())


def test_nbval_compares_with_it(tmp_path):
    """Two notebooks whose cell shows a red picture; one of them has a blue one stored, which nbval alone passes."""
    red = show("red").data["image/png"]
    source = f"import base64\nfrom IPython.display import Image\nImage(base64.b64decode({red!r}))"
    for colour in ("red", "blue"):
        result = v4.new_output("execute_result", show(colour).data, execution_count=1)
        metadata = {"mystnb": {"figure": {"name": "fig-red"}}}
        cell = v4.new_code_cell(source, execution_count=1, outputs=[result], metadata=metadata)
        nbformat.write(v4.new_notebook(cells=[cell]), tmp_path / f"{colour}.ipynb")
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pyproject.toml", "-v", "-p", "no:cacheprovider", tmp_path]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert "red.ipynb::Cell 0 PASSED" in ended.stdout, ended.stdout + ended.stderr
    assert "blue.ipynb::Cell 0 FAILED" in ended.stdout
    assert "blue.ipynb, Cell 0 (fig-red): the picture differs by RMS" in ended.stdout
