"""Changes of the stored chapters: outputs, parameters, text. Each takes a notebook's text and returns another."""

import base64
import io
import re

import nbformat
from nbformat import v4
from PIL import Image, ImageChops, ImageOps

#: What runs a notebook and compares it, and what looks at it without running it.
RUN, LOOK = "book/{}.ipynb", "tests/test_chapters.py -k '{} and not folder'"
#: What compares the parameters of all notebooks.
AS_ALL = "tests/test_settings.py tests/test_chapters.py -k 'parameter'"


def on_cells(change):
    """A change of a notebook's code cells, as one of its text."""

    def on_text(text):
        notebook = nbformat.reads(text, as_version=4)
        change([cell for cell in notebook.cells if cell.cell_type == "code"])
        return nbformat.writes(notebook) + "\n"

    return on_text


def replacing(old, new):
    """A change of a piece of text that has to stand in the file exactly once."""

    def on_text(text):
        if text.count(old) != 1:
            raise ValueError(f"{old!r} stands in it {text.count(old)} times; expected once.")
        return text.replace(old, new)

    return on_text


def outputs_with(cells, kind):
    """The outputs that hold something of a kind, such as "image/png"."""
    return [output for cell in cells for output in cell.outputs if kind in output.get("data", {})]


def other_digit(text):
    """The text with its last digit replaced by the next one."""
    return re.sub(r"\d(?=\D*$)", lambda digit: str((int(digit[0]) + 1) % 10), text, count=1)


@on_cells
def digit_printed(cells):
    output = next(output for cell in cells for output in cell.outputs if output.get("name") == "stdout")
    output.text = other_digit(output.text)


@on_cells
def digit_in_table(cells):
    data = outputs_with(cells, "text/html")[-1].data
    data["text/plain"] = other_digit(data["text/plain"])


@on_cells
def digit_in_page(cells):
    data = outputs_with(cells, "text/html")[-1].data
    data["text/html"] = re.sub(r"(<td>\S*)\d</td>", r"\g<1>x</td>", data["text/html"], count=1)


@on_cells
def page_of_table_lost(cells):
    del outputs_with(cells, "text/html")[-1].data["text/html"]


@on_cells
def figure_lost(cells):
    cell = next(cell for cell in cells if outputs_with([cell], "image/png"))
    cell.outputs = [output for output in cell.outputs if "image/png" not in output.get("data", {})]


@on_cells
def figures_exchanged(cells):
    first, second, *_ = (output.data for output in outputs_with(cells, "image/png"))
    first["image/png"], second["image/png"] = second["image/png"], first["image/png"]


def repainted(paint):
    """A change of the first figure's picture."""

    @on_cells
    def change(cells):
        data = outputs_with(cells, "image/png")[0].data
        picture = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
        file = io.BytesIO()
        paint(picture).save(file, "png")
        data["image/png"] = base64.b64encode(file.getvalue()).decode()

    return change


def blue_for_orange(picture):
    red, green, blue = picture.split()
    return Image.merge("RGB", (blue, green, red))


@on_cells
def cell_stripped(cells):
    next(cell for cell in cells if cell.outputs).outputs = []


@on_cells
def chapter_stripped(cells):
    for cell in cells:
        cell.outputs, cell.execution_count = [], None


@on_cells
def cell_deleted_from_the_count(cells):
    cells[-1].execution_count += 1


@on_cells
def output_twice(cells):
    cell = next(cell for cell in cells if cell.outputs)
    cell.outputs.append(cell.outputs[-1])


@on_cells
def error_stored(cells):
    cells[-1].outputs.append(v4.new_output("error", ename="ValueError", evalue="no", traceback=[]))


@on_cells
def warning_stored(cells):
    cells[1].outputs.append(v4.new_output("stream", name="stderr", text="careful\n"))


@on_cells
def path_printed(cells):
    cells[-1].source += '\nprint("read from /home/someone/data")'
    cells[-1].outputs.append(v4.new_output("stream", text="read from /home/someone/data\n"))


@on_cells
def time_printed(cells):
    cells[-1].source += '\nimport time\nprint(f"{time.time():.3f} s")'
    cells[-1].outputs.append(v4.new_output("stream", text="1790000000.123 s\n"))


@on_cells
def parameter_unknown(cells):
    cells[0].source += "\nn_things: int = 3  # how many things"


@on_cells
def parameter_unexplained(cells):
    cells[0].source = re.sub(r"^(lag: int = \d+).*$", r"\1", cells[0].source, flags=re.MULTILINE)


@on_cells
def tag_lost(cells):
    cells[0].metadata["tags"] = []


@on_cells
def caption_lost(cells):
    next(cell for cell in cells if outputs_with([cell], "image/png")).metadata.mystnb.figure.caption = ""


@on_cells
def alternative_text_twice(cells):
    first, second, *_ = (cell for cell in cells if outputs_with([cell], "image/png"))
    second.metadata.mystnb.image.alt = first.metadata.mystnb.image.alt


ONE, TWO, FOUR, FIVE, SEVEN, EIGHT = (
    "01_loading_the_data", "02_building_the_encoding_model", "04_receptive_fields", "05_the_visual_field",
    "07_better_than_what", "08_better_than_chance",
)  # fmt: skip

#: Name, file, change, the tests that should notice, and others that are asked when they do not.
CHANGES = [
    (name, RUN.format(chapter), change, tests.format(chapter), more.format(chapter))
    for name, chapter, change, tests, more in [
        ("digit-printed", ONE, digit_printed, RUN, ""),
        ("digit-in-table", FIVE, digit_in_table, RUN, ""),
        ("digit-in-page-of-table", FIVE, digit_in_page, RUN, ""),
        ("page-of-table-lost", FIVE, page_of_table_lost, RUN, ""),
        ("figure-lost", TWO, figure_lost, RUN, ""),
        ("figures-exchanged", TWO, figures_exchanged, RUN, ""),
        ("figure-recoloured", TWO, repainted(blue_for_orange), RUN, ""),
        ("figure-mirrored", ONE, repainted(ImageOps.mirror), RUN, ""),
        ("figure-shifted", ONE, repainted(lambda picture: ImageChops.offset(picture, 4, 0)), RUN, ""),
        ("cell-stripped", ONE, cell_stripped, RUN, ""),
        ("chapter-stripped", ONE, chapter_stripped, LOOK, RUN),
        ("cell-run-twice", ONE, cell_deleted_from_the_count, LOOK, RUN),
        ("output-twice", ONE, output_twice, RUN, ""),
        ("error-stored", ONE, error_stored, LOOK, RUN),
        ("warning-stored", ONE, warning_stored, LOOK, RUN),
        ("path-printed", ONE, path_printed, LOOK, RUN),
        ("time-printed", ONE, time_printed, LOOK, RUN),
        ("stale", TWO, replacing("R2 above 0: {", "R2 above zero: {"), RUN, ""),
        ("lag-changed", ONE, replacing("lag: int = 2", "lag: int = 3"), AS_ALL, RUN),
        ("alpha-changed", TWO, replacing("alpha: float = 100.0", "alpha: float = 101.0"), AS_ALL, RUN),
        ("folds-changed", TWO, replacing("n_splits: int = 10", "n_splits: int = 5"), AS_ALL, RUN),
        ("parameter-untyped", TWO, replacing("alpha: float = 100.0", "alpha = 100.0"), LOOK, AS_ALL),
        ("parameter-of-another-type", TWO, replacing("alpha: float = 100.0", "alpha: int = 100"), AS_ALL, RUN),
        ("parameter-unknown", ONE, parameter_unknown, LOOK, AS_ALL),
        ("parameter-unexplained", ONE, parameter_unexplained, LOOK, AS_ALL),
        ("tag-lost", ONE, tag_lost, LOOK, RUN),
        ("caption-lost", TWO, caption_lost, LOOK, RUN),
        ("alternative-text-twice", TWO, alternative_text_twice, "tests/test_chapters.py -k unique", RUN),
        ("number-in-the-text", SEVEN, replacing("the 50 best are taken", "the 60 best are taken"), LOOK, ""),
        ("share-in-the-text", EIGHT, replacing("95 of 100 experiments", "90 of 100 experiments"), LOOK, ""),
        ("threshold-in-the-text", FOUR, replacing("no weight above 0.1;", "no weight above 0.2;"), LOOK, ""),
        ("seed-changed", EIGHT, replacing("seed: int = 0", "seed: int = 1"), AS_ALL, RUN),
    ]
]
