"""What ``tools.count_prose`` counts, on a chapter of which all counts are known."""

from nbformat import v4

from tools.count_prose import count_chapter

CODE = """\
import numpy as np
samples = load_samples(recording)
print("many", end=" ")
if samples is None:
    print("none")
else:
    x = np.ones(3)

for value in x:
    print(value)
def double(x):
    return 2 * x"""
TEXT = """\
# A title?

Four words, one question?

```python
x if y else "no word?"
```

$$a = b$$

## Try it yourself

Why so? <details>Because of three more words</details>"""


def test_the_counts_of_a_chapter_are_those_by_hand():
    drawn = v4.new_output("display_data", {"image/png": "AAAA"})
    told = [v4.new_output("display_data", {"text/markdown": text}) for text in ("Two panels.", "It falls by 3.")]
    cells = [
        v4.new_markdown_cell("one two three"),
        v4.new_code_cell("a = 1", metadata={"tags": ["parameters"]}),
        v4.new_code_cell("x", outputs=[drawn, told[0]], metadata={"tags": ["hide-input"]}),
        v4.new_markdown_cell(TEXT),
        v4.new_code_cell(CODE, outputs=[drawn, told[1]]),
    ]
    assert count_chapter(cells) == (11, 3, 11, 1, 1)  # A title? Four words, one question? Try it yourself Why so?
