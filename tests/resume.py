"""``pytest --resume FILE``: an interrupted run goes on where it was.

The tests that pass are noted in FILE with a hash of all that they depend on: sources, documents, installed packages.
A later run leaves out those that have passed with the same hash, and says how many and when. Where several processes
test (``--numprocesses``), the one that hands the tests out reads FILE, tells the others what to leave out, and notes
what they report.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("hdl", "generators", "sim", "fpga", "mbconv", "tests", "docs")
_TOLD = "passed earlier"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--resume", metavar="FILE", type=Path, help="leave out tests that passed with the same sources")


def pytest_configure(config: pytest.Config) -> None:
    path = config.getoption("--resume")
    if path is None:
        return
    if hasattr(config, "workerinput"):
        config.pluginmanager.register(LeftOut(config.workerinput[_TOLD]), "resumed run")
    else:
        config.pluginmanager.register(Resume(path, fingerprint()), "resumed run")


def fingerprint(root: Path = ROOT) -> str:
    """A hash of the files of the project and of what is installed."""
    found = hashlib.sha256(sys.version.encode())
    for path in sorted(path for folder in FOLDERS for path in (root / folder).rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            found.update(f"{path.relative_to(root)}\0".encode() + path.read_bytes())
    installed = sorted(f"{item.metadata['Name']} {item.version}" for item in metadata.distributions())
    found.update("\n".join(installed).encode())
    return found.hexdigest()


class LeftOut:
    """Leaves out the tests that have passed: all that a process does that is handed its tests."""

    def __init__(self, passed: Collection[str]):
        self.passed = passed

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        done = [item for item in items if item.nodeid in self.passed]
        items[:] = [item for item in items if item.nodeid not in self.passed]
        config.hook.pytest_deselected(items=done)


class Resume(LeftOut):
    """Keeps the file: one line for each passed test, with the hash, the time and the test's name."""

    def __init__(self, path: Path, key: str):
        self.path, self.key = path, key
        self.times: dict[str, str] = {}
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for line in lines:
            key, _, rest = line.partition(" ")
            when, _, name = rest.partition(" ")
            if key == self.key and name:
                self.times[name] = when
        super().__init__(set(self.times))

    def pytest_report_header(self) -> str:
        last = f", the last at {max(self.times.values())}" if self.times else ""
        return f"{len(self.times)} passed earlier with the same sources{last}"

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Nothing left to run is no failure."""
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and self.passed:
            session.exitstatus = pytest.ExitCode.OK

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node) -> None:
        node.workerinput[_TOLD] = sorted(self.passed)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            now = datetime.now(UTC).isoformat(timespec="seconds")
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{self.key} {now} {report.nodeid}\n")
