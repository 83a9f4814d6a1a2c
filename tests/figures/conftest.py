"""Any page that holds a picture to touch."""

import pytest


@pytest.fixture(scope="module")
def visit(open_tab):
    """Open a page that holds the HTML, and wait until it is alive; nothing moves by itself."""

    def visit(html, body="", head="", **options):
        page = open_tab("about:", **{"viewport": {"width": 1000, "height": 900}, "reduced_motion": "reduce"} | options)
        page.set_content(
            f'<!doctype html><html lang="en" {head}><meta charset="utf-8"><title>A page</title>'
            f'<meta name="viewport" content="width=device-width"><body {body}><main><h1>A page</h1>{html}</main>'
        )
        if options.get("java_script_enabled", True):
            page.wait_for_function("() => !document.querySelector('img.still')")
        return page

    return visit


@pytest.fixture(scope="module")
def page(html, visit):
    """A page with the module's picture to touch, for tests that ask it for numbers."""
    return visit(html)
