"""``--resume``: what has passed is not run again, by one process or several."""

import os
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
    command = [sys.executable, "-m", "pytest", "-q", "-p", "resume", "-p", "xdist.plugin", *options]
    environment = {**os.environ, "PYTHONPATH": str(HERE), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    command += ["--resume", str(folder / "build" / "passed.txt"), str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout.splitlines()[-1]


@pytest.mark.parametrize("processes", [[], ["--numprocesses", "2"]], ids=["one process", "two"])
def test_what_passed_is_left_out(tmp_path, processes):
    (tmp_path / "test_some.py").write_text(TESTS)
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
