"""The questions at the end of the chapters: what an answer quotes is printed, and each of its numbers has a source.

In an answer, a ``text`` block quotes what the chapter prints with the parameters of the ``python`` block before it, or
else by default. ``...`` stands for what is left out: within a line, or as a line of its own for any number of lines.
"""

import ast
import os
import re

import nbformat
import pytest

from tests.notebooks import NOTEBOOKS
from tests.pages.running import printed_in, read_chapter, run_chapter
from tools.press.parameters import parse_literal, read_parameters

ANSWER = re.compile(r"^<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
SOLUTION = re.compile(r"^<summary>Solution</summary>\n\n```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^]]*\]\([^)]*\)")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")


def read_text(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def read_answers(notebook):
    """What the answers of a chapter set, by name (nothing by default), and what they quote of it, step by step."""
    for text in ANSWER.findall(read_text(notebook)):
        settings = {}
        for kind, content in BLOCK.findall(text):
            if kind == "python":
                lines = ast.parse(content).body
                settings = {ast.unparse(line.targets[0]): ast.literal_eval(line.value) for line in lines}
            elif kind == "text":
                yield settings, content


def as_pattern(quoted):
    """Regular expression of whole printed lines, one after the other."""
    lines = [".*".join(map(re.escape, line.split("..."))) for line in quoted.splitlines()]
    return re.compile("^" + "".join(r"(?:.*\n)*?" if line == ".*" else f"{line}\\n" for line in lines), re.MULTILINE)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_answers_set_parameters_and_quote_what_is_stored(path):
    notebook, parameters = read_chapter(path), read_parameters(path)
    for settings, quoted in read_answers(notebook):
        for name, value in settings.items():
            assert parameters[name].inferred_type_name == type(value).__name__, (name, quoted)
            assert parse_literal(parameters[name].default) != value, (name, quoted)
        assert settings or as_pattern(quoted).search(printed_in(notebook)), quoted


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_number_of_an_answer_stands_in_its_blocks_or_is_a_default(path):
    notebook = read_chapter(path)
    defaults = " ".join(parameter.default for parameter in read_parameters(path).values())
    for text in ANSWER.findall(read_text(notebook)):
        told = LINK.sub("", BLOCK.sub("", text))
        known = " ".join([defaults, *(block for _, block in BLOCK.findall(text))])
        assert {*map(float, NUMBER.findall(told))} <= {*map(float, NUMBER.findall(known))}, text


@pytest.mark.skipif("ALL_ANSWERS" not in os.environ, reason="it takes minutes: ALL_ANSWERS=1")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_solution_finds_what_the_chapter_found_and_an_answer_quotes_what_it_prints(path, client):
    notebook = read_chapter(path)
    for solution in SOLUTION.findall(read_text(notebook)):
        assert "assert " in solution
        own = [*notebook.cells, nbformat.v4.new_code_cell(solution)]
        run_chapter(client, nbformat.v4.new_notebook(cells=own), {})  # a failed assertion ends it with an error
    for settings, quoted in read_answers(notebook):
        if not settings:
            continue  # quoted from what is stored
        pattern = as_pattern(quoted)
        printed = run_chapter(client, notebook, settings, pattern)
        assert pattern.search(printed), f"{path.stem} with {settings}\nquoted:\n{quoted}\nprinted:\n{printed}"
