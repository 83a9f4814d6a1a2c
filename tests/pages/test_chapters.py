"""The chapters as they are stored: whole, described, free of machine and time.

These rules hold for any notebook that `_toc.yml` names. That the outputs are those of a fresh run is for nbval to see,
and for the plugin ``tests.notebooks``.
"""

import re

import pytest

from tests.notebooks import ROOT, read_pictures
from tests.pages.running import code_cells, read_chapter
from tools.press.chapters import find_chapters, read_cover
from tools.press.parameters import read_parameters

IN_BOOK = find_chapters(ROOT)
MACHINE = re.compile(r"(^|[\s\"'(])(/[\w.-]+){2,}|[A-Z]:\\|nilearn_data|\.venv|site-packages|Warning", re.MULTILINE)


@pytest.fixture(params=IN_BOOK, ids=lambda path: path.stem)
def path(request):
    return request.param


def figures(path):
    """What is said about each cell that shows a picture."""
    cells = code_cells(read_chapter(path))
    return [(cell.metadata.get("mystnb", {}), cell.source) for cell in cells if read_pictures(cell.outputs)]


def test_it_was_run_once_in_order_and_nothing_went_wrong(path):
    cells = code_cells(read_chapter(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert set(cell.metadata) <= {"tags", "mystnb"}, f"Not by `make refresh`: {cell.source}"
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.source
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not MACHINE.search(text), text


def test_every_figure_has_caption_name_and_alt_text(path):
    for figure, source in figures(path):
        assert len(figure["image"]["alt"]) > 40 and len(figure["figure"]["caption"]) > 20, source
        assert figure["figure"]["name"].startswith("fig-"), source


def test_figure_names_and_alt_texts_are_unique():
    all_figures = [figure for path in IN_BOOK for figure, _ in figures(path)]
    for seen in ([f["figure"]["name"] for f in all_figures], [f["image"]["alt"] for f in all_figures]):
        assert len(set(seen)) == len(seen)


def test_every_parameter_is_typed_and_explained(path):
    for parameter in read_parameters(path).values():
        assert parameter.inferred_type_name != "None" and parameter.help, parameter.name


def test_a_parameter_of_several_chapters_has_one_type():
    """A build sets it in all of them at once."""
    types = {}
    for path in IN_BOOK:
        for name, parameter in read_parameters(path).items():
            assert types.setdefault(name, parameter.inferred_type_name) == parameter.inferred_type_name, (path, name)


def test_cover_is_the_stored_picture():
    assert (ROOT / "book" / "cover.png").read_bytes() == read_cover(IN_BOOK)
