"""The top module of every simulation: sources and sinks around a design, and the ports that cocotb sets and watches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
TOP = "mbconv_testbench"
"""The top module; no design's top is named so."""
SETTLING = 100
"""Cycles after the last expected beat in which none may follow."""

_WORDS = ("run", "seed", "source_stall", "source_resume", "sink_stall", "sink_resume", "sink_patient", "sink_turns",
          "sink_late", "patience")  # fmt: skip


FILLING = 2
"""Cycles after reset before a memory's first word is there: no circuit may take it earlier."""


@dataclass(frozen=True)
class Driver:
    """A source or a sink with wires ``<name>__valid``, ``__payload``, ``__ready``; its files begin with its name.

    A ``steady`` source stands for one that never starves: it never stalls.
    """

    name: str
    width: int
    source: bool
    periodic: bool = False
    steady: bool = False

    def lines(self, index: int) -> list[str]:
        kind = "source" if self.source else "sink"
        parameters = f'.WIDTH({self.width}), .ID({index}), .NAME("{self.name}")'
        pattern = f".stall({kind}_stall), .resume({kind}_resume)"
        if self.source:
            parameters += f", .PERIODIC({int(self.periodic)}), .FILLING({FILLING if self.steady else 0})"
            if self.steady:
                pattern = ".stall(32'd0), .resume(32'd0)"
        else:
            pattern += f", .patient(sink_patient[0]), .late(sink_late), .allowed({self.name}__allowed)"
        return [
            f"    wire {self.name}__valid, {self.name}__ready{'' if self.source else f', {self.name}__allowed'};",
            f"    wire [{self.width - 1}:0] {self.name}__payload;",
            f"    mbconv_{kind} #({parameters}) drive_{self.name} (",
            f"        .clk(clk), .rst(rst), .run(run), .seed(seed), {pattern},",
            f"        .valid({self.name}__valid), .payload({self.name}__payload), .ready({self.name}__ready),",
            f"        .done(done[{index}]), .progress(progress[{index}]));",
        ]


def top_sources(
    drivers: Sequence[Driver], design: Sequence[str], outputs: Sequence[str] = (), watchers: int = 0,
    turns: Sequence[Sequence[tuple[str, int]]] = (),
) -> dict[str, str]:  # fmt: skip
    """The Verilog of top module :data:`TOP` and of the modules that it needs beside the design's, as file name → text.

    Args:
        drivers: the sources and sinks.
        design: lines of Verilog that instantiate the design between the drivers' wires, ``clk`` and ``rst``.
        outputs: further ports of the top that the design drives, such as ``[7:0] errors``.
        turns: groups of sinks that take turns where ``sink_turns`` is set: names, and the beats of a turn.
        watchers: further bits of ``done`` and ``progress``, above those of the drivers, which ``design`` drives.
    """
    ports = ["input wire clk", "input wire rst", *(f"input wire [31:0] {word}" for word in _WORDS)]
    ports += ["output reg [31:0] moved", "output wire finished", *(f"output wire {output}" for output in outputs)]
    count = len(drivers)
    lines = [
        f"module {TOP} (",
        ",\n".join(f"    {port} /* verilator public_flat_rw */" for port in ports),
        ");",
        f"    wire [{count + watchers - 1}:0] done, progress;",
        "    reg [31:0] idle;",
        "    always @(posedge clk) begin",
        "        idle <= rst || progress != 0 ? 32'd0 : idle + 32'd1;",
        f"        moved <= rst ? 32'd0 : moved + {' + '.join(f'progress[{i}]' for i in range(count))};",
        "    end",
        "    // Every beat came and then none, or nothing moved for `patience` cycles.",
        f"    assign finished = ~rst & (idle >= (&done ? 32'd{SETTLING} : patience));",
        *(line for index, driver in enumerate(drivers) for line in driver.lines(index)),
        *_turns(drivers, turns),
        *design,
        "endmodule\n",
    ]
    shipped = ("mbconv_source.v", "mbconv_sink.v")
    return {f"{TOP}.v": "\n".join(lines), **{name: (FOLDER / name).read_text() for name in shipped}}


def _turns(drivers: Sequence[Driver], turns: Sequence[Sequence[tuple[str, int]]]) -> list[str]:
    """What allows each sink to take a beat: its turn, of those that take turns."""
    together = {name for group in turns for name, _ in group}
    lines = [
        f"    assign {driver.name}__allowed = 1'b1;"
        for driver in drivers
        if not driver.source and driver.name not in together
    ]
    for number, group in enumerate(turns):
        turn, left, last = f"turn_{number}", f"turn_left_{number}", len(group) - 1
        following = [beats for _, beats in (*group[1:], group[0])]
        beats = [f"{turn} == 32'd{place} ? 32'd{count - 1} : " for place, count in enumerate(following)]
        takes = " | ".join(
            f"({turn} == {place} & {name}__valid & {name}__ready)" for place, (name, _) in enumerate(group)
        )
        lines += [
            f"    reg [31:0] {turn}, {left};",
            "    always @(posedge clk)",
            f"        if (rst) begin {turn} <= 32'd0; {left} <= 32'd{group[0][1] - 1}; end",
            f"        else if ({takes}) begin",
            f"            {left} <= {left} != 0 ? {left} - 32'd1 : {''.join(beats)}32'd0;",
            f"            if ({left} == 0) {turn} <= {turn} == 32'd{last} ? 32'd0 : {turn} + 32'd1;",
            "        end",
            *(
                f"    assign {name}__allowed = ~sink_turns[0] | {turn} == 32'd{place};"
                for place, (name, _) in enumerate(group)
            ),
        ]
    return lines


def data_file(driver: Driver, payloads: Sequence[int]) -> dict[str, str]:
    """What a source or sink reads, as file name → text: the beats to send, or how many to expect."""
    if not driver.source:
        return {f"{driver.name}.beats": f"{len(payloads):x}\n"}
    digits = -(-driver.width // 4)
    return {f"{driver.name}.hex": "".join(f"{payload:0{digits}x}\n" for payload in payloads)}
