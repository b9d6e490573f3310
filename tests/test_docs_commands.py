"""What README and docs name is there: commands with their options, files, pages."""

import re
import shlex
from pathlib import Path

import pytest

from mbconv.cli import main

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
PARTS = "docs|fpga|generators|hdl|mbconv|sim|tests"

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


def commands(text: str) -> list[list[str]]:
    """The words of every ``mbconv COMMAND …``, in a line of its own or between back-ticks, of commands that exist."""
    spans = re.findall(r"`([^`]*)`", FENCED.sub("", text).replace("\n", " "))
    found = []
    for line in [*spans, *text.splitlines()]:
        for words in re.findall(r"(?:^|\s)mbconv ([a-z]+\b[^`#…|]*)", line):
            shown = re.split(r"\s{3,}|;| && ", words.strip())[0]  # behind it is what it does
            if shown.count('"') % 2 == shown.count("'") % 2 == 0 and shlex.split(shown)[0] in main.commands:
                found.append(shlex.split(shown))
    return found


@pages
def test_options_of_commands(page):
    for name, *words in commands(page.read_text(encoding="utf-8")):
        known = {option for parameter in main.commands[name].params for option in parameter.opts} | {"--help"}
        options = [word.strip("[].,:)") for word in words if word.strip("[").startswith("--")]
        given = {word.partition("=")[0] for word in options if " " not in word}  # quoted: another program's
        assert given <= known, f"mbconv {name} has no {', '.join(sorted(given - known))}"


def test_commands_are_found():
    """The test above sees something."""
    found = [command for page in PAGES for command in commands(page.read_text(encoding="utf-8"))]
    assert len(found) > 100 and ["evaluate", "MODEL", "--images", "DIR"] in found


@pages
def test_files(page):
    named = set(re.findall(rf"`((?:{PARTS})/[\w./*-]+)`", page.read_text(encoding="utf-8")))
    missing = [name for name in named if not list(ROOT.glob(name.rstrip("/")))]
    assert not missing


@pages
def test_links(page):
    links = {link for link in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")) if "://" not in link}
    assert not [link for link in links if not (page.parent / link).exists()]
