"""A simulator that was built, run with a cocotb test module."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

from .held import held
from .process_group import process_group
from .toolchain import SimulatorError
from .verilator import Build
from .waves import Waves


def _simulate(
    command: Sequence[str],
    folder: Path,
    environment: dict[str, str],
    log: BinaryIO,
    report: Callable[[str], None] | None,
) -> int:
    """Run to the end and return the exit status; an exception in ``report``, such as an interrupt, ends the process."""
    read, write = os.pipe()
    passed = [write] if report is not None else []
    if report is not None:
        environment["MBCONV_REPORT"] = str(write)
    with os.fdopen(read) as lines, os.fdopen(write, "wb") as ours:
        files = {"stdout": log, "stderr": subprocess.STDOUT, "pass_fds": passed}
        with process_group(command, cwd=folder, env=environment, **files) as process:
            ours.close()
            for line in lines:  # ends when the process does
                if report is not None:
                    report(line)
            return process.wait()


def run(
    build: Build,
    folder: Path,
    test_module: str,
    *,
    environment: Mapping[str, str] | None = None,
    seed: int = 1,
    waves: Waves | None = None,
    report: Callable[[str], None] | None = None,
) -> None:
    """Run a cocotb test module with a simulator, in ``folder``; the output goes to ``folder/simulation.log``.

    Memories and registers without an initial value start with bits drawn from ``seed``. ``report`` is called with each
    line that the test module writes to the file descriptor named by the environment variable ``MBCONV_REPORT``.

    Raises:
        SimulatorError: the simulation failed; the message holds the end of its log.
    """
    import cocotb_tools.config
    import find_libpython

    if waves is not None and not build.trace:
        raise ValueError("waves need a simulator that was built with trace=True")
    if (python := find_libpython.find_libpython()) is None:
        raise SimulatorError(
            f"{sys.executable} has no shared library (libpython), which cocotb loads: use another Python"
        )
    log = folder / "simulation.log"
    command = [str(build.folder / build.top), "+verilator+rand+reset+2", f"+verilator+seed+{seed % 2**31 or 1}"]
    if waves is not None:
        command += ["--trace", "--trace-file", str(waves.vcd(folder.absolute()))]
    results = folder / "results.xml"
    variables = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
        "PYGPI_PYTHON_BIN": sys.executable,
        "GPI_USERS": ";".join([python, cocotb_tools.config.pygpi_entry_point()]),
        "COCOTB_TOPLEVEL": build.top,
        "COCOTB_TEST_MODULES": test_module,
        "COCOTB_RANDOM_SEED": str(seed),
        "COCOTB_RESULTS_FILE": str(results),
        "COCOTB_TRUST_INERTIAL_WRITES": "1",
        "TOPLEVEL_LANG": "verilog",
        **(environment or {}),
        **({} if waves is None else waves.environment),
    }
    with held(build.folder) as there, log.open("wb") as stream:
        if not there:
            raise SimulatorError(f"the simulator in {build.folder} was removed before it ran: run the command again")
        try:
            code = _simulate(command, folder, variables, stream, report)
        finally:
            if waves is not None:
                waves.finish(folder.absolute())
    text = log.read_text(errors="replace")
    passed = results.exists() and "<failure" not in results.read_text() and "<error" not in results.read_text()
    if code or not passed:
        raise SimulatorError(
            f"the simulation failed (exit {code}); the end of {log}:\n" + "\n".join(text.splitlines()[-40:])
        )
