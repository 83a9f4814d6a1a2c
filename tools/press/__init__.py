"""What `build_book.py` does, one module for each purpose.

In the order in which a build goes through them: `command` reads the command line and finds the recording,
`parameters` reads what the chapters declare; `chapters` runs them, on kernels from `warm`, whose memory `memory`
watches; `status` writes down what only a build can know; `pages` has it all rendered by `render`, with the Sphinx
extensions `captions`, `told`, `formulas`, `offers`, `api_page` and `mended_pages`.
"""


class BuildError(Exception):
    """Something that the person at the terminal can put right."""
