"""The comparison of stored outputs catches what nbval lets pass."""

import base64
import copy
import io
import subprocess
import sys

import nbformat
import pytest
from checks.everywhere import REPORT, read_report
from nbformat import v4
from PIL import Image

from tests.notebooks import ROOT, check_memory, compare_outputs, without_data
from tests.pages.tiny_book import RED_PIXEL, SHOW_RED_PIXEL


@pytest.fixture
def outputs():
    """Those of a cell that prints and draws."""
    notebook = nbformat.read(ROOT / "book" / "05_the_visual_field.ipynb", as_version=4)
    return next(cell.outputs for cell in notebook.cells if cell.get("outputs") and len(cell.outputs) > 1)


@pytest.fixture
def other_picture():
    notebook = nbformat.read(ROOT / "book" / "04_receptive_fields.ipynb", as_version=4)
    shown = [output.data for cell in notebook.cells for output in cell.get("outputs", []) if "data" in output]
    return next(data["image/png"] for data in shown if "image/png" in data)


def test_the_same_passes_however_the_stream_was_cut(outputs):
    compare_outputs(outputs, copy.deepcopy(outputs))
    text = outputs[0].text
    pieces = [v4.new_output("stream", name="stdout", text=part) for part in (text[:3], text[3:])]
    compare_outputs(outputs, [*pieces, *outputs[1:]])


def test_whatever_is_missing_or_changed_is_seen(outputs, other_picture):
    digit, picture = copy.deepcopy(outputs), copy.deepcopy(outputs)
    digit[0].text = digit[0].text.translate(str.maketrans("123456789", "234567891"))
    picture[-1].data["image/png"] = other_picture
    for changed in ([], outputs[:1], outputs[1:], outputs + outputs[-1:], digit, picture):
        with pytest.raises(AssertionError):
            compare_outputs(changed, copy.deepcopy(outputs))
        with pytest.raises(AssertionError):
            compare_outputs(copy.deepcopy(outputs), changed)


def test_only_the_numbers_of_a_picture_to_touch_may_differ():
    page = '<div class="brain-fragment"><p>seen</p>{}</div>'
    assert without_data(page.format("Ab+/" * 20)) == without_data(page.format("Cd+/" * 30))
    assert without_data(page.format("Ab+/" * 20)) != without_data(page.replace("seen", "gone").format("Ab+/" * 20))
    assert without_data("Ab+/" * 20) == "Ab+/" * 20


def test_memory_beyond_the_limit_is_seen(monkeypatch):
    held = subprocess.Popen([sys.executable, "-c", "x = bytearray(200_000_000); print(len(x), flush=True); input()"],
                            stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    with held:
        held.stdout.readline()
        check_memory(held.pid)
        monkeypatch.setattr("outputs.MAX_MEMORY", 1.5e8)
        with pytest.raises(AssertionError, match="0.2 GB"):
            check_memory(held.pid)
        held.communicate(b"\n")


def test_nbval_compares_with_it(tmp_path):
    """Two notebooks whose cell shows a red pixel; one of them has another one stored, which nbval alone passes."""
    blue = io.BytesIO()
    Image.new("RGB", (1, 1), "blue").save(blue, "png")
    for name, picture in {"red": RED_PIXEL, "blue": blue.getvalue()}.items():
        stored = v4.new_output(
            "display_data",
            {"image/png": base64.b64encode(picture).decode(), "text/plain": "<IPython.core.display.Image object>"},
        )
        cell = v4.new_code_cell(SHOW_RED_PIXEL, execution_count=1, outputs=[stored])
        nbformat.write(v4.new_notebook(cells=[cell]), tmp_path / f"{name}.ipynb")
    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "-c", ROOT / "pytest.ini", "-p", "conftest", "-v", tmp_path]
    ended = subprocess.run([*command, *REPORT, report], cwd=ROOT, capture_output=True, text=True)
    assert "red.ipynb::Cell 0 PASSED" in ended.stdout, ended.stdout
    assert "blue.ipynb::Cell 0 FAILED" in ended.stdout and "The picture differs" in ended.stdout
    counted = read_report(report)
    assert (counted.notebooks, counted.cells, counted.pictures, counted.tests) == (2, 2, 1, 0)
    (((file, cell), message),) = counted.differing.items()
    assert file.endswith("blue.ipynb") and cell == "Cell 0" and "The picture differs" in message
