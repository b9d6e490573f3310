"""Several designs in one simulation: one build instead of one for each, all running side by side."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from mbconv.generators.emission.bundle import make_bundle
from mbconv.generators.emission.design import Design
from mbconv.sim.circuits.testbench_case import Pattern, Run
from mbconv.sim.simulation.description import Description
from mbconv.sim.simulation.design_record import DesignRecord
from mbconv.sim.simulation.design_source import DesignPort, DesignSource
from mbconv.sim.simulation.packets import bundle_source, input_payloads, output_beats, patience_of
from mbconv.sim.simulation.run_design import run_design
from mbconv.sim.simulation.simulate import judge
from mbconv.sim.simulation.simulation_result import SimulationResult

TOP = "many_designs"


class ManyDesigns:
    """Designs simulated together.

    Args:
        designs: any, each between sources and sinks of its own.
    """

    def __init__(self, designs: Sequence[Design]):
        self.designs = list(designs)
        bundles = [make_bundle(design, f"{self._name(index)}_") for index, design in enumerate(designs)]
        self.descriptions = [Description.of(bundle.manifest) for bundle in bundles]
        self.sources = [bundle_source(bundle) for bundle in bundles]

    @staticmethod
    def _name(index: int) -> str:
        return f"n{index}"

    def simulate(
        self, frames: Sequence[Sequence[Mapping[int, np.ndarray]]], source: Pattern, sink: Pattern, seed: int
    ) -> list[SimulationResult]:
        """The results of all designs, each with its own frames, of which all have equally many."""
        started = time.monotonic()
        beats, expected = {}, {}
        for index, (description, own) in enumerate(zip(self.descriptions, frames, strict=True)):
            given, wanted = input_payloads(description, own), output_beats(description, len(own))
            beats |= {f"{self._name(index)}_{name}": values for name, values in given.items()}
            expected |= {f"{self._name(index)}_{name}": count for name, count in wanted.items()}
        record = run_design(
            self._together(),
            beats,
            expected,
            len(frames[0]),
            source=source,
            sink=sink,
            seed=seed,
            optimization="-O0",  # most of the time is the compiler's
            patience=max(map(patience_of, self.descriptions)),
        )
        unstalled = Run(source, sink).unstalled
        return [
            judge(description, alone, design.graph, own, self._part(record, index), unstalled, started)
            for index, (description, alone, design, own) in enumerate(
                zip(self.descriptions, self.sources, self.designs, frames, strict=True)
            )
        ]

    def _part(self, record: DesignRecord, index: int) -> DesignRecord:
        """What one of the designs did."""
        prefix = f"{self._name(index)}_"
        parts = {
            what: {
                name.removeprefix(prefix): value
                for name, value in getattr(record, what).items()
                if name.startswith(prefix)
            }
            for what in ("first", "taken", "streams", "outputs")
        }
        return replace(record, **parts)

    def _together(self) -> DesignSource:
        """A top module around all designs."""
        declared, instances = ["input wire aclk", "input wire aresetn"], []
        verilog, memories, ports, outputs, monitors = {}, {}, [], {}, []
        for index, source in enumerate(self.sources):
            name = self._name(index)
            joined = [".aclk(aclk), .aresetn(aresetn)"]
            for port in source.ports:
                ports.append(_prefixed(port, f"{name}_"))
                toward, away = ("input", "output") if port.source else ("output", "input")
                for inner, width, direction in (
                    *((field, width, toward) for field, width in port.fields),
                    (port.valid, 1, toward),
                    (port.ready, 1, away),
                ):
                    declared.append(f"{direction} wire [{width - 1}:0] {name}_{inner}")
                    joined.append(f".{inner}({name}_{inner})")
            for inner, width in (source.outputs or {}).items():
                outputs[f"{name}_{inner}"] = width
                declared.append(f"output wire [{width - 1}:0] {name}_{inner}")
                joined.append(f".{inner}({name}_{inner})")
            instances += [f"    {source.top} {name} (", ",\n".join(f"        {line}" for line in joined), "    );"]
            verilog |= source.verilog
            memories |= source.memory_files
            monitors += [
                replace(point, name=f"{name}_{point.name}", place=f"{name}.{point.place}") for point in source.monitors
            ]
        head = f"module {TOP} (\n" + ",\n".join(f"    {line}" for line in declared) + "\n);"
        verilog[f"{TOP}.v"] = "\n".join([head, *instances, "endmodule\n"])
        return DesignSource(
            verilog,
            memories,
            TOP,
            ports,
            outputs,
            clock="aclk",
            reset="aresetn",
            reset_active_low=True,
            reset_cycles=1,
            monitors=monitors,
            turns=[
                [(f"{self._name(index)}_{name}", beats) for name, beats in group]
                for index, source in enumerate(self.sources)
                for group in source.turns
            ],
        )


def _prefixed(port: DesignPort, prefix: str) -> DesignPort:
    fields = tuple((prefix + field, width) for field, width in port.fields)
    return DesignPort(prefix + port.name, port.source, fields, prefix + port.valid, prefix + port.ready)
