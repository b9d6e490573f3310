"""``python -m mbconv.generators.engine.two_forms [FOLDER]``: networks as pipelines and as programs, README's table.

Nothing is simulated: both are the cycles that are planned, which simulations are compared with.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mbconv.hdl.engine.finish import constants_layout
from mbconv.models import builtin, load

from ..emission.design import make_design
from ..graph.graph import Graph
from .compile import compile_network
from .memory_timing import parse_engine
from .report import layer_reports

ENGINE = (
    "channels=16,pixels=9,requantizers=16,depthwise_rows=3,depthwise_columns=3,folds=1,input_elements=3,ranges=1,"
    "vectors=1,map_words=24576,weight_words=4096,constant_words=16384,instructions=1024,tables=64,lane_bits=25,"
    "kernel_bits=7,overlaps=1,memory_bytes=2"
)
"""144 multipliers, maps of 393 KB at most, 66 KB for weights, which come from a memory of two bytes a cycle (SDRAM of
16 bits)."""

NETWORKS = (
    ("digits", 16, ENGINE),
    ("cifar10", 64, ENGINE),
    ("cifar10_v3", 64, f"{ENGINE},accumulator_bits=28"),  # the bias of one layer is as wide
    ("vww_96_int8", 320, ENGINE),
    ("person_detect_qdimfix", 128, ENGINE),
    ("mobilenet_v1_0.25_128_quant", 128, f"{ENGINE},weight_bits=9"),  # uint8: weights less their zero points
    ("mobilenetv2_160_035_cfu", 256, ENGINE),
    ("ppocr_cls_mnv3s035_int8", 256, ENGINE),
    ("mnv3small_224_keras_randomweights_int8", 512, ENGINE),
    ("ssdlite_mnv2_ped_int8", 1024, ENGINE),
    ("tf2_mobilenet_v2_1.0_224_ptq", 2048, ENGINE),
)
"""Networks, the multipliers of their pipelines, and their engine."""


@dataclass(frozen=True)
class TwoForms:
    """A network in both forms.

    Attributes:
        multipliers: of the pipeline; interval, latency: its cycles; memory: bytes, all on the chip.
        frame: cycles from frame to frame on the engine; waits: of them, those for weights; lone: of a lone frame.
        chip: bytes of maps, weights and constants on the chip that it uses; fetched: of weights, each frame.
    """

    name: str
    multipliers: int
    interval: int
    latency: int
    memory: int
    frame: int
    waits: int
    lone: int
    chip: int
    fetched: int

    @property
    def row(self) -> str:
        """Of a Markdown table."""
        numbers = (
            self.multipliers,
            self.interval,
            self.latency,
            self.memory,
            self.frame,
            self.waits,
            self.lone,
            self.chip,
        )
        return " | ".join((f"| {self.name}", *(f"{number:,}" for number in (*numbers, self.fetched)))) + " |"


HEADING = (
    "| network | pipeline: multipliers | interval | latency | bytes on the chip "
    "| engine: interval | waiting for weights | lone frame | bytes on the chip | fetched |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)


def two_forms(graph: Graph, multipliers: int, engine: str) -> TwoForms:
    """Plan a network as a pipeline and compile it for an engine.

    Raises:
        GraphError: one of the two forms does not take it.
    """
    design = make_design(graph, multipliers=multipliers)
    parameters, timing = parse_engine(engine)
    program = compile_network(graph, parameters, timing=timing)
    used = dict(program.memories)
    if any(len(words) for words in program.streams.values()):
        used["weight_words"] = parameters.weight_words  # of the ring every word is used
    bits = (
        used["map_words"] * parameters.channels * 8
        + used["weight_words"] * parameters.channels * parameters.weight_bits
        + used["constant_words"] * parameters.requantizers * constants_layout(parameters).size
    )
    return TwoForms(
        graph.name,
        design.plan.multipliers,
        design.schedule.interval,
        design.schedule.latency,
        design.memory_bits // 8,
        program.interval,
        sum(one.waits for one in layer_reports(program)),
        program.cycles,
        bits // 8,
        sum(instruction.fetched for instruction in program.instructions),
    )


def networks(folder: Path | None, only: Iterable[str]) -> list[tuple[str, int, str]]:
    """Models, multipliers and engines: the built-in ones, and those of the folder that lie there."""
    files = {name: folder / f"{name}.tflite" for name, *_ in NETWORKS} if folder else {}
    found = []
    for name, multipliers, engine in NETWORKS:
        if any(part in name for part in only) or not only:
            if name in files and files[name].is_file():
                found.append((str(files[name]), multipliers, engine))
            elif builtin(name):
                found.append((name, multipliers, engine))
    return found


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m mbconv.generators.engine.two_forms", description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, help="of the .tflite files of the larger networks")
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="networks whose names contain this")
    options = parser.parse_args(arguments)
    if options.folder is not None and not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    print(HEADING)
    for model, multipliers, engine in networks(options.folder, options.only):
        print(two_forms(load(model), multipliers, engine).row, flush=True)


if __name__ == "__main__":
    from mbconv.cli_status import run_module

    run_module(main)
