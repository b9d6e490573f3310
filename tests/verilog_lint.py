"""Verilator's lint, without what says nothing about a circuit."""

import subprocess
from collections.abc import Sequence
from pathlib import Path

from mbconv.sim.simulation import toolchain

STYLE = ("DECLFILENAME", "PROCASSINIT", "UNUSEDSIGNAL")
"""Style only: several modules in a file; registers with an initial value; bits that nobody reads, such as the carries
of counters."""


def lint(folder: Path, files: Sequence[str], top: str) -> str:
    """What ``verilator --lint-only -Wall`` finds in Verilog-2005 files; nothing if all is well."""
    tools = toolchain.find_toolchain()
    command = ["perl", str(tools.root / "bin" / "verilator"), "--lint-only", "-Wall", "--default-language", "1364-2005"]
    command += [*(f"-Wno-{style}" for style in STYLE), "--top-module", top, *files]
    done = subprocess.run(command, cwd=folder, env=tools.environment, capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""
