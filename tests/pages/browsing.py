"""What goes wrong in a page."""


def watch(page, home):
    """Return a list to which the page adds whatever goes wrong: faults, and requests outside the address ``home``."""
    faults, inside = [], (home, "data:", "blob:")
    page.on("console", lambda said: said.type in ("error", "warning") and faults.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("response", lambda answer: answer.status >= 400 and faults.append(f"{answer.status}: {answer.url}"))
    page.on("request", lambda request: request.url.startswith(inside) or faults.append(f"outside: {request.url}"))
    return faults
