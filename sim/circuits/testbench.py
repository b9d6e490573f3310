"""The test bench of circuits: many cases in one simulation, all patterns of stalls, data and cycles compared exactly.

The test of a circuit is its reference and its parameters::

    run_cases([Case("1x1, 8 to 16", Pointwise(...), inputs={"i": x, "weights": Periodic(w)}, outputs={"o": expected},
                    interval=..., latency=...), ...])

All cases are submodules of one Verilog top, built once by Verilator (and cached by content), and run concurrently.
Sources and sinks are Verilog; cocotb starts the clock, resets, sets patterns and seeds; the sinks' logs are compared
here.

Checked in every run: each output beat, no beat missing or too many, every input beat taken, ``valid`` never withdrawn
and the payload stable while stalled, ``valid`` not waiting for ``ready``, no deadlock. Where nothing stalls: interval
and latency. Memories start with random bits and payloads without ``valid`` are noise, so that a use of either shows.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..simulation import simulator, verilator
from ..simulation.waves import Waves
from .testbench_case import STANDARD_RUNS, Case, Expected, Measurement, Pattern, Periodic, Run
from .testbench_check import check_run, read_log
from .testbench_data import Payloads, pack, tensor_beats, unpack
from .testbench_top import TOP
from .testbench_verilog import ports_of, testbench_sources

__all__ = [
    "STANDARD_RUNS",
    "Case",
    "CircuitFailure",
    "Expected",
    "Measurement",
    "Pattern",
    "Payloads",
    "Periodic",
    "Run",
    "pack",
    "run_cases",
    "tensor_beats",
    "unpack",
]

_SHOWN_OF_A_CASE = 3
_OPTIMIZATION = "-O0"  # most of the time is the compiler's: a quarter less of a processor than with -O1


class CircuitFailure(AssertionError):
    """Some case failed: ``failures`` lists, by case, what happened in which run with which seed.

    The message shows the first few of each case.
    """

    def __init__(self, failures: Mapping[str, Sequence[str]], folder: Path):
        self.failures = failures
        lines = []
        for case, texts in failures.items():
            lines += [f"{case}: {text}" for text in texts[:_SHOWN_OF_A_CASE]]
            if len(texts) > _SHOWN_OF_A_CASE:
                lines.append(f"{case}: … and {len(texts) - _SHOWN_OF_A_CASE} more")
        super().__init__("\n".join([*lines, f"files of the simulation: {folder}"]))


def _plan(runs: Sequence[Run], seeds: Sequence[int], patience: int) -> tuple[dict, list[tuple[Run, int]]]:
    """What cocotb does, and for each of its runs the run and seed."""
    # a run without stalls has nothing random in it but memories, whose bits are drawn once for the simulation
    pairs = [
        (run, seed) for run in runs for seed in (seeds[:1] if run.unstalled and run.reset_after is None else seeds)
    ]
    steps = [run.plan(seed) for run, seed in pairs]
    return {"patience": patience, "outputs": [], "runs": steps}, pairs


def run_cases(
    cases: Sequence[Case],
    *,
    runs: Sequence[Run] = STANDARD_RUNS,
    seeds: Sequence[int] = (1, 2),
    waves: Path | None = None,
    folder: Path | None = None,
) -> list[Measurement]:
    """Simulate all cases under all runs with all seeds.

    Args:
        cases: at least one, with different names.
        runs: the patterns of stalls and resets.
        seeds: each stalling run is made once with each.
        waves: a VCD file to write.
        folder: where the simulation's files go and stay; a temporary folder, kept on failure only, unless given.

    Returns:
        The cycles of each case, measured in the last run without stalls; empty if there was none.

    Raises:
        CircuitFailure: something differs from what a case expects.
        ValueError: a case is not consistent.
        SimulatorError: the simulator is missing or does not accept the design.
    """
    if len({case.name for case in cases}) != len(cases) or not cases:
        raise ValueError("the cases of a simulation have different names, and there is at least one")
    ports = [port for index, case in enumerate(cases) for port in ports_of(case, index)]
    sources, memory_files = testbench_sources(cases, ports)
    build = verilator.build(sources, TOP, trace=waves is not None, optimization=_OPTIMIZATION)
    plan, pairs = _plan(runs, seeds, max(case.patience for case in cases))
    work = Path(tempfile.mkdtemp(prefix="mbconv-testbench-")) if folder is None else folder
    work.mkdir(parents=True, exist_ok=True)
    for name, text in memory_files.items():
        (work / name).write_text(text)
    traced = None if waves is None else Waves(waves)
    environment = {"MBCONV_BENCH_PLAN": json.dumps(plan)}
    simulator.run(
        build, work, "mbconv.sim.circuits.cocotb_testbench", environment=environment, seed=seeds[0], waves=traced
    )

    logs = {port.name: read_log(work / f"{port.name}.log") for port in ports}
    measurements = {case.name: Measurement(case.name) for case in cases}
    failures: dict[str, list[str]] = {}
    for number, (run, seed) in enumerate(pairs):
        for case in cases:
            own = [port for port in ports if port.case is case]
            found, measured = check_run(case, own, {port.name: logs[port.name].get(number, []) for port in own}, run)
            if found:
                failures.setdefault(case.name, []).extend(f"{text} ({run}, seed {seed})" for text in found)
            if measured is not None:
                measurements[case.name] = measured
    if failures:
        raise CircuitFailure(failures, work)
    if folder is None:
        shutil.rmtree(work)
    return list(measurements.values())
