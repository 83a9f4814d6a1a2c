"""The lock: it holds what the book asks for, and what is installed is what it says."""

import re
from importlib.metadata import version

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT


def read_requirements(name):
    """The requirements of a file that hold for this Python and system, by name."""
    lines = (re.sub(r"(^|\s)#.*", "", line).strip() for line in (ROOT / name).read_text().splitlines())
    asked = [Requirement(line) for line in lines if line]
    return {canonicalize_name(one.name): one for one in asked if one.marker is None or one.marker.evaluate()}


LOCK = read_requirements("requirements.txt")


@pytest.mark.parametrize("name", sorted(read_requirements("requirements.in")))
def test_what_is_asked_for_is_locked_at_a_version_that_fits(name):
    (pin,) = LOCK[name].specifier
    assert pin.operator == "==" and pin.version in read_requirements("requirements.in")[name].specifier


def test_what_is_installed_is_what_is_locked():
    """Else the stored outputs were made and compared with other libraries than a reader gets."""
    installed = {name: f"=={version(name)}" for name in LOCK}
    assert installed == {name: str(pin.specifier) for name, pin in LOCK.items()}
