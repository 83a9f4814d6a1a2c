"""The questions at the end of the chapters: each answer prints what it quotes, and no number in it comes from elsewhere.

An answer holds pairs of a ``python`` block, which sets parameters of the chapter, and a ``text`` block, which quotes what the
chapter prints then. A ``text`` block before any ``python`` block quotes what is printed by default. ``...`` stands for what
is left out: within a line, or as a line of its own for any number of lines.
"""

import ast
import copy
import functools
import re
from dataclasses import dataclass

import nbformat
import pytest
from markdown_it import MarkdownIt
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from traitlets.config import Config
from voxelwise import is_rest, load_run_images

from conftest import CHAPTERS, ROOT

HAVE_EXERCISES = CHAPTERS[:6]
HEADING = "## Try it yourself"
ANSWER = re.compile(r"^<details>\n<summary>Answer</summary>\n\n(.*?)\n\n</details>$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
NEVER = re.compile(r"(?!)")
LABEL = re.compile(r"^\*\*\d\. ", re.MULTILINE)  # of a question
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w])")

#: Run once in the kernel. What chapters compute from the same recording with the same settings is kept: most of the time.
REMEMBER = """
import inspect
import voxelwise

def remember(function):
    known, signature = {}, inspect.signature(function)
    def call(data, **settings):
        bound = signature.bind(data, **settings)
        bound.apply_defaults()
        key = getattr(data, "name", id(data)), *map(repr, bound.args[1:])
        if key not in known:
            known[key] = data, function(data, **settings)  # data is kept, so that no other gets its id
        result = known[key][1]
        return result.copy() if hasattr(result, "copy") else result
    return call

for name in ("load_samples", "fit_receptive_fields", "fit_population_fields"):
    setattr(voxelwise, name, remember(getattr(voxelwise, name)))
"""


@dataclass(frozen=True)
class Exercise:
    """A question and its answer; ``steps`` are pairs of a change (empty: none) and the text that is printed then."""

    question: str
    answer: str

    @property
    def blocks(self):
        return [(match[1], match[2]) for match in BLOCK.finditer(self.answer)]

    @property
    def steps(self):
        kinds = ["text", *(kind for kind, _ in self.blocks)]  # a block "python" must be followed by its "text"
        assert "text" == kinds[-1] and ("python", "python") not in zip(kinds, kinds[1:]), self.answer
        change, steps = "", []
        for kind, content in self.blocks:
            if kind == "text":
                steps.append((change, content))
            else:
                change = content
        return steps


@functools.cache
def read_chapter(path):
    return nbformat.read(path, as_version=4)


def find_section(notebook):
    """The text under the heading, up to what comes next; None without such a heading."""
    sections = [cell.source for cell in notebook.cells if cell.source.startswith(HEADING)]
    assert len(sections) < 2
    return sections[0].partition("\n**Next:**")[0] if sections else None


def read_exercises(notebook):
    """The exercises of a chapter: a question is what stands between two answers."""
    pieces = ANSWER.split(find_section(notebook) or "")
    return [Exercise(question, answer) for question, answer in zip(pieces[0::2], pieces[1::2])]


def find_parameters(notebook):
    """The cell of parameters, and the type and value of each parameter, by name."""
    (cell,) = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", [])]
    lines = ast.parse(cell.source).body
    return cell, {line.target.id: (line.annotation.id, ast.literal_eval(line.value)) for line in lines}


def numbers(text):
    return {float(number) for number in NUMBER.findall(text)}


def find_faults(exercise, notebook):
    """What is wrong with an exercise as it is written, before anything is run."""
    _, parameters = find_parameters(notebook)
    faults = [] if "?" in exercise.question else ["no question"]
    faults += [] if any(change for change, _ in exercise.steps) else ["no parameter to change"]
    faults += [f"block of {kind!r}" for kind, _ in exercise.blocks if kind not in ("python", "text")]
    for change, _ in exercise.steps:
        for line in ast.parse(change).body:
            name, value = ast.unparse(line.targets[0]), ast.literal_eval(line.value)
            if name not in parameters:
                faults.append(f"{name} is no parameter")
            elif parameters[name] == (parameters[name][0], value):
                faults.append(f"{name} is left at its default")
            elif type(value).__name__ != parameters[name][0]:
                faults.append(f"{name} is of type {parameters[name][0]}")
    known = numbers(" ".join([content for _, content in exercise.blocks] + [repr(v) for v in parameters.values()]))
    prose = LABEL.sub("", exercise.question) + BLOCK.sub("", exercise.answer)
    return faults + [f"{number:g} stands in no block" for number in sorted(numbers(prose) - known)]


def as_pattern(quoted):
    """Regular expression of whole printed lines, one after the other."""
    lines = [".*".join(map(re.escape, line.split("..."))) for line in quoted.splitlines()]
    return re.compile("^" + "".join(r"(?:.*\n)*?" if line == ".*" else f"{line}\\n" for line in lines), re.MULTILINE)


def printed_by(cell):
    return "".join(output.get("text", "") for output in cell.get("outputs", []))


@pytest.fixture(scope="session")
def client():
    """A client whose kernel runs one chapter after the other: the imports take longer than many an answer."""
    config = Config(KernelManager={"transport_encryption": "auto"})
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    client = NotebookClient(
        nbformat.v4.new_notebook(metadata=metadata), timeout=None, config=config,
        resources={"metadata": {"path": str(ROOT / "book")}}, extra_arguments=["--log-level=CRITICAL"],
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("JUPYTER_PREFER_ENV_PATH", "1")
        patch.setenv("JUPYTER_PATH", "")
        with client.setup_kernel():
            run_cells(client, [nbformat.v4.new_code_cell(REMEMBER)])
            yield client


def run_cells(client, cells, pattern=NEVER):
    """What the code cells print, until the pattern is found."""
    client.nb = nbformat.v4.new_notebook(cells=cells)
    printed = ""
    for index, cell in enumerate(client.nb.cells):
        if cell.cell_type == "code":
            printed += printed_by(client.execute_cell(cell, index))
            if pattern.search(printed):
                break
    return printed


def run_until(client, notebook, change, pattern):
    """What the chapter prints with changed parameters, until the pattern is found or the chapter ends."""
    notebook = copy.deepcopy(notebook)
    cell, _ = find_parameters(notebook)
    notebook.cells.insert(notebook.cells.index(cell) + 1, nbformat.v4.new_code_cell(change))
    notebook.cells.insert(0, nbformat.v4.new_code_cell("%reset -f"))
    return run_cells(client, notebook.cells, pattern)


def check_answer(client, notebook, exercise):
    """Fail unless everything that the answer quotes is printed."""
    for change, quoted in exercise.steps:
        pattern = as_pattern(quoted)
        printed = (
            run_until(client, notebook, change, pattern) if change else "".join(map(printed_by, notebook.cells))
        )
        assert pattern.search(printed), f"{change or 'By default'}\nquoted:\n{quoted}\nprinted:\n{printed}"


ALL = [
    pytest.param(path, number, id=f"{path.stem}-{number + 1}")
    for path in CHAPTERS for number in range(len(read_exercises(read_chapter(path))))
]  # fmt: skip
each_exercise = pytest.mark.parametrize("path, number", ALL)
each_chapter = pytest.mark.parametrize("path", HAVE_EXERCISES, ids=[path.stem for path in HAVE_EXERCISES])


def test_these_chapters_have_exercises():
    assert [path for path in CHAPTERS if find_section(read_chapter(path))] == HAVE_EXERCISES


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
    run = load_run_images(recording)[0]
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
        run_until(client, small_chapter(), "print(leftover)", NEVER)
    assert "done" not in run_until(client, small_chapter(), "alpha = 3.0", as_pattern("and so on\n"))
