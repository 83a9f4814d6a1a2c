"""The chapters as they are stored: whole, described, free of machine and time."""

import re

import pytest

from tests.notebooks import ROOT
from tests.pages.running import code_cells, read_chapter
from tools.press.captions import find_name, read_figure
from tools.press.chapters import find_chapters
from tools.press.parameters import read_parameters

IN_BOOK = find_chapters(ROOT)
MACHINE = re.compile(r"(^|[\s\"'(])(/[\w.-]+){2,}|[A-Z]:\\|nilearn_data|\.venv|site-packages|Warning", re.MULTILINE)


@pytest.fixture(params=IN_BOOK, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_it_was_run_once_in_order_and_nothing_went_wrong(path):
    cells = code_cells(read_chapter(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    for cell in cells:
        assert set(cell.metadata) <= {"tags", "mystnb", "jupyter"}, f"Not by `make refresh`: {cell.source}"
        for output in cell.outputs:
            assert output.output_type != "error" and output.get("name") != "stderr", cell.source
            text = output.get("text", "") + str(output.get("data", {}).get("text/plain", ""))
            assert not MACHINE.search(text), text


def test_every_figure_has_caption_alt_text_and_a_name_of_its_own():
    cells = [cell for path in IN_BOOK for cell in code_cells(read_chapter(path))]
    for cell in cells:
        pictures, caption = read_figure(cell)
        if pictures:
            assert len(caption or cell.metadata.mystnb.image.alt) > 40, cell.source
            assert find_name(cell).startswith("fig-"), cell.source
    names = list(filter(None, map(find_name, cells)))
    assert len({*names}) == len(names) > len(IN_BOOK)


def test_every_parameter_is_explained_and_has_one_type_in_all_chapters():
    """A build sets it in all of them at once."""
    types = {}
    for path in IN_BOOK:
        for name, parameter in read_parameters(path).items():
            assert parameter.inferred_type_name != "None" and parameter.help, (path, name)
            assert types.setdefault(name, parameter.inferred_type_name) == parameter.inferred_type_name, (path, name)
