"""The packages in examples/: the gate installs and tests each, and their READMEs name the commands that it runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
GATE = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
CALLED = re.findall(r"^reportflow (?:conform|check) .*$", GATE, re.MULTILINE)


def test_contributing_names_the_commands_of_the_gate() -> None:
    """Each chore and each proof that the gate runs is in CONTRIBUTING.md."""
    page = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    chores = re.findall(r"^make \w+$", GATE, re.MULTILINE)
    assert chores
    assert [call for call in CALLED if f"\n{call}\n" not in page] == []
    assert [chore for chore in chores if f"`{chore}`" not in page] == []


def test_the_gate_installs_every_package() -> None:
    """Each package in examples/ is installed and tested by the gate, and its README begins with how."""
    loops = re.findall(r"^for own in (.*); do$", GATE, re.MULTILINE)
    packages = {path.parent.name for path in (ROOT / "examples").glob("*/pyproject.toml")}
    assert [set(loop.split()) for loop in loops] == [packages]
    for name in packages:
        readme = (ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")
        assert re.search(r"^```sh\npip install \.\./\.\. '\.\[test\]'\n\w", readme, re.MULTILINE), name


@pytest.mark.parametrize("name", ["own_store", "lmdb_store", "own_lifecycle", "flask_purchases"])
def test_each_package_is_proven_by_the_gate_as_its_readme_says(name: str) -> None:
    """The proofs in a package's README are those that the gate runs."""
    readme = (ROOT / "examples" / name / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^reportflow .*$", readme, re.MULTILINE)
    assert commands
    assert commands == [call for call in CALLED if f" {name}" in call]
