"""``--resume``: what has passed is not run again, by one process or several."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range(4))
def test_any(number):
    assert number != 2 or Path("mended").exists()
"""
HERE = Path(__file__).resolve().parent


def run(folder: Path, *options: str) -> tuple[int, str]:
    """As ``make slow`` does: the option as written there, the plugin from a conftest, the tests from the
    configuration."""
    makefile = (HERE.parent / "Makefile").read_text(encoding="utf-8")
    resume = re.search(r"--resume\S(?=build/slow.txt)", makefile)[0]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist.plugin", *options, f"{resume}build/passed.txt"]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize("processes", [[], ["--numprocesses", "2"]], ids=["one process", "two"])
def test_what_passed_is_left_out(tmp_path, processes):
    (tmp_path / "tests").mkdir()
    (tmp_path / "pyproject.toml").write_text('[tool.pytest.ini_options]\ntestpaths = ["tests"]\n')
    (tmp_path / "tests" / "conftest.py").write_text('pytest_plugins = ["resume"]\n')
    (tmp_path / "tests" / "test_some.py").write_text(TESTS)
    status, said = run(tmp_path, *processes)
    assert (status, said[:18]) == (1, "1 failed, 3 passed"), said
    noted = (tmp_path / "build" / "passed.txt").read_text().splitlines()
    assert sorted(line.rpartition("::")[2] for line in noted) == ["test_any[0]", "test_any[1]", "test_any[3]"]
    (tmp_path / "mended").touch()
    status, said = run(tmp_path, *processes)
    assert (status, said[:8]) == (0, "1 passed"), said
    assert len((tmp_path / "build" / "passed.txt").read_text().splitlines()) == 4
    status, said = run(tmp_path, *processes)
    assert (status, "passed" in said) == (0, False), said
