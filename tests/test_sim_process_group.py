"""A program and all that it starts end together."""

import os
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

from mbconv.sim.simulation import verilator
from mbconv.sim.simulation.process_group import process_group

# A program that starts another, and says its number once that runs.
STARTER = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
STARTER += "print(p.pid, flush=True); p.wait()"


def runs(process: int) -> bool:
    """Whether a process is there and is no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_an_exception_ends_grandchildren():
    with (
        pytest.raises(KeyboardInterrupt),
        process_group([sys.executable, "-c", STARTER], stdout=subprocess.PIPE) as process,
    ):
        started = int(process.stdout.readline())
        assert runs(started)
        raise KeyboardInterrupt
    for _ in range(200):
        if not runs(started):
            break
        time.sleep(0.05)
    assert not runs(started) and process.poll() is not None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks into /proc")
def test_sigterm_leaves_no_compiler_and_no_half_built_folder(tmp_path):
    """mbconv sim, ended while it builds: an empty cache has no build, and nothing of its session runs on."""
    environment = {**os.environ, "MBCONV_CACHE": str(tmp_path / "cache")}
    command = [sys.executable, "-m", "mbconv", "sim", "block:pointwise,height=2,width=2,channels=2"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    folder = tmp_path / "cache" / "builds"
    for _ in range(1200):
        if folder.is_dir() and any(folder.iterdir()):
            break
        time.sleep(0.05)
    else:
        pytest.fail("no build was begun")
    process.terminate()
    process.communicate(timeout=60)
    assert process.returncode == -15
    assert [*folder.iterdir()] == []
    for _ in range(200):  # a process that was killed stands in the list until the system has taken it down
        places = [path for path in Path("/proc").glob("[0-9]*/cwd") if _place(path).startswith(str(tmp_path))]
        if not places:
            break
        time.sleep(0.05)
    assert places == []


def _place(path: Path) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


def test_a_build_in_a_path_with_a_space_is_made_elsewhere(tmp_path, monkeypatch):
    places = []
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path / "my cache"))
    monkeypatch.setattr(verilator, "_execute", lambda command, cwd, what, environment: places.append(cwd))
    for kept in ("_library", "_headers"):
        monkeypatch.setattr(verilator, kept, lambda *arguments: nullcontext(tmp_path))
    text = "module mbconv_testbench(input wire clk /* verilator public_flat_rw */);\nendmodule\n"
    built = verilator.build({"mbconv_testbench.v": text}, "mbconv_testbench")
    assert len(places) == 2 and not any(" " in str(place) for place in places)
    assert (built.folder / "mbconv_testbench.v").read_text() == text and not any(place.exists() for place in places)
