"""The questions at the end of the chapters: what an answer quotes is printed, and each of its numbers has a source."""

import re

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient.exceptions import CellExecutionError

from tests.notebooks import CHAPTERS
from tests.pages.exercises import HEADING, as_pattern, check_answer, find_faults, find_section, read_exercises
from tests.pages.running import read_chapter, run_until
from voxelwise import is_rest, load_run_stimuli

ALL = [
    pytest.param(path, number, id=f"{path.stem}-{number + 1}")
    for path in CHAPTERS for number in range(len(read_exercises(read_chapter(path))))
]  # fmt: skip
each_exercise = pytest.mark.parametrize("path, number", ALL)
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])


@each_chapter
def test_a_chapter_ends_with_two_or_three_folded_answers(path):
    notebook = read_chapter(path)
    section, last = find_section(notebook), notebook.cells[-1].source
    assert last.startswith(HEADING) and "## Summary" in notebook.cells[-2].source
    assert "\n**Next:** " in last and last.count("**Next:**") == 1 and "**Next:**" not in notebook.cells[-2].source
    assert section.count("<details>") == section.count("</details>") == len(read_exercises(notebook)) in (2, 3)
    assert section.count("simulated recording") == 1 and "defaults" in section


@each_chapter
def test_the_blocks_of_an_answer_are_code_and_lie_within_its_fold(path):
    """A missing blank line would show the bare fences, and a missing fold the answers."""
    page = MarkdownIt("commonmark").render(find_section(read_chapter(path)))
    folds = re.findall(r"<details>.*?</details>", page, re.DOTALL)
    assert len(folds) == len(read_exercises(read_chapter(path)))
    for fold, exercise in zip(folds, read_exercises(read_chapter(path)), strict=True):
        assert re.findall(r'<pre><code class="language-(\w+)">', fold) == [kind for kind, _ in exercise.blocks]
    assert page.count("<pre>") == sum(fold.count("<pre>") for fold in folds)
    assert "```" not in page


@each_exercise
def test_an_exercise_changes_parameters_and_every_number_has_a_source(path, number):
    notebook = read_chapter(path)
    assert find_faults(read_exercises(notebook)[number], notebook) == []


@each_exercise
def test_an_answer_quotes_what_the_chapter_prints(path, number, client):
    notebook = read_chapter(path)
    check_answer(client, notebook, read_exercises(notebook)[number])


def test_the_drawn_answer_of_the_first_chapter(recording):
    """Volume 127 of the first run is the last one of its image, volume 128 is rest."""
    run = load_run_stimuli(recording)[0]
    assert (run[126] == run[125]).all() and is_rest(run)[126:128].tolist() == [False, True]


# What would the checks above miss? A chapter of two lines, an exercise that is right, and faults of each kind.

GOOD = """**1. Is `alpha = 4.0` twice as strong?**

<details>
<summary>Answer</summary>

By default the chapter prints

```text
alpha: 2.0, twice 4.0
```

Set

```python
alpha = 4.0
```

and it prints

```text
alpha: 4.0, ...
...
done 8
```

It is: twice 4.0 is 8.

</details>
"""


def small_chapter(section=GOOD):
    new = nbformat.v4
    first = new.new_code_cell("alpha: float = 2.0  # the penalty", metadata={"tags": ["parameters"]})
    second = new.new_code_cell('print(f"alpha: {alpha}, twice {2 * alpha}")\nprint("and so on")')
    second.outputs = [new.new_output("stream", text="alpha: 2.0, twice 4.0\nand so on\n")]
    third = new.new_code_cell('print(f"done {2 * alpha:.0f}")')
    return new.new_notebook(cells=[first, second, third, new.new_markdown_cell(f"{HEADING}\n\n{section}")])


def read_small(section):
    (exercise,) = read_exercises(small_chapter(section))
    return exercise


def test_a_right_answer_passes(client):
    assert read_small(GOOD).steps == [
        ("", "alpha: 2.0, twice 4.0\n"), ("alpha = 4.0\n", "alpha: 4.0, ...\n...\ndone 8\n")
    ]  # fmt: skip
    assert find_faults(read_small(GOOD), small_chapter()) == []
    check_answer(client, small_chapter(), read_small(GOOD))


@pytest.mark.parametrize(
    "right, wrong",
    [
        ("twice 4.0\n```", "twice 4.1\n```"),  # by default
        ("done 8", "done 9"),
        ("done 8", "done"),  # not the whole line
        ("...\ndone 8", "done 8"),  # something is left out in silence
        ("alpha: 4.0, ...\n...\ndone 8", "done 8\n...\nalpha: 4.0, ..."),  # in another order
    ],
)
def test_a_wrong_quotation_is_found(right, wrong, client):
    assert GOOD.count(right) == 1
    with pytest.raises(AssertionError, match="quoted"):
        check_answer(client, small_chapter(), read_small(GOOD.replace(right, wrong)))


@pytest.mark.parametrize(
    "right, wrong, fault",
    [
        ("alpha = 4.0\n", "beta = 4.0\n", "beta is no parameter"),
        ("alpha = 4.0\n", "alpha = 4\n", "alpha is of type float"),
        ("alpha = 4.0\n", "alpha = 2.0\n", "alpha is left at its default"),
        ("4.0 is 8.", "4.0 is 8.5.", "8.5 stands in no block"),
        ("4.0 is 8.", "4.0 is -8.", "-8 stands in no block"),
        ("4.0 is 8.", "4.0 is 8e3.", "8000 stands in no block"),
        ("`alpha = 4.0` twice", "`alpha = 5.0` twice", "5 stands in no block"),
        ("strong?", "strong.", "no question"),
    ],
)
def test_a_fault_of_writing_is_found(right, wrong, fault):
    assert GOOD.count(right) == 1
    assert fault in find_faults(read_small(GOOD.replace(right, wrong)), small_chapter())


def test_runs_do_not_see_each_other_and_end_early(client):
    """Nothing of one run is left to the next, and nothing runs after the last quoted line."""
    run_until(client, small_chapter(), "leftover = 1", as_pattern("done 4\n"))
    with pytest.raises(CellExecutionError, match="leftover"):
        run_until(client, small_chapter(), "print(leftover)")
    assert "done" not in run_until(client, small_chapter(), "alpha = 3.0", as_pattern("and so on\n"))
