"""What a design takes of an FPGA: multipliers, block RAMs and an estimate of its LUTs, from its components.

Memories are exact: each is a :class:`~mbconv.hdl.primitives.Ram`, a :class:`~mbconv.hdl.primitives.Rom` or a small
queue of known width and depth. Small queues, constant memories of up to as many words as the
family says, and others of as many where LUTs can be RAM, are made of LUTs, every other of block RAMs of its own.

LUTs are a model, in four-input tables, where a bit of an adder or of a two-way selection counts as one:

=====================  =============================================================================
accumulator array      the adder trees; for each output an accumulator, and a selection where a sum begins
result path            a two-way selection for each bit of the held sums, where they leave in turns
requantisation         :attr:`mbconv.hdl.requantize.Requantize.cost`
window                 a two-way selection for each level of its banks' rotation and for the padding
addition               its tables' adders, a sum, a rounding and two limits for each lane
pool                   a sum and a selection for each lane
maxima                 a comparison and a selection for each of its comparisons
lanes                  a selection for each bit of a word; a shifter in front of a gearbox's buffer
queue in registers     a two-way selection for each of its bits
distributed memory     a table for 16 bits, half as many again to write them, selections beyond 16
control                counters of a queue's or stage's size
=====================  =============================================================================

It is an estimate; ``mbconv build`` prints what Yosys and nextpnr make of a design.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from amaranth.hdl import Shape
from amaranth.lib.wiring import Component

from mbconv.hdl.accumulate import AccumulateArray
from mbconv.hdl.add import Add
from mbconv.hdl.average_pool import AveragePool
from mbconv.hdl.axi_stream_input import AxiStreamInput
from mbconv.hdl.axi_stream_output import AxiStreamOutput
from mbconv.hdl.axi_stream_top import AxiStreamTop
from mbconv.hdl.convolution import Convolution
from mbconv.hdl.credit_queue import CreditQueue
from mbconv.hdl.depthwise import Depthwise
from mbconv.hdl.elastic_source import ElasticSource
from mbconv.hdl.fifo import Fifo, RegisterQueue
from mbconv.hdl.gearbox import Gearbox
from mbconv.hdl.lookup import Lookup
from mbconv.hdl.mac import MacPipeline
from mbconv.hdl.mac_parameters import MacParameters, tree_levels
from mbconv.hdl.max_pool import MaxPool
from mbconv.hdl.narrow import Narrow
from mbconv.hdl.pointwise import Pointwise
from mbconv.hdl.primitives import Multipliers, Ram, Rom, address_width
from mbconv.hdl.requantize import Requantize
from mbconv.hdl.result_path import ResultPath
from mbconv.hdl.rom_source import RomSource
from mbconv.hdl.stream_graph import StreamGraph
from mbconv.hdl.value_tables import ValueTables
from mbconv.hdl.widen import Widen
from mbconv.hdl.window import Window
from mbconv.hdl.window_memory import WindowMemory
from mbconv.hdl.window_stream import WindowStream

from .device import Device

LARGEST_IN_REGISTERS = 128
"""Up to so many bits a memory is made of registers where LUTs cannot be RAM."""


@dataclass(frozen=True)
class Memory:
    """``depth`` words of ``width`` bits.

    ``constant`` ones are never written; ``read_at_once`` ones, of small queues, cannot be block RAM; ``in_registers``
    ones are a register and a table for each bit.
    """

    width: int
    depth: int
    constant: bool = False
    read_at_once: bool = False
    in_registers: bool = False

    @property
    def bits(self) -> int:
        return self.width * self.depth

    def in_block_ram(self, device: Device) -> bool:
        if self.read_at_once or self.in_registers:
            return False
        if self.constant or device.circuits.distributed_ram:
            return self.depth > device.circuits.largest_distributed
        return self.bits > LARGEST_IN_REGISTERS

    def luts(self, device: Device) -> int:
        """Estimated tables of a memory without block RAM; registers where tables cannot be RAM."""
        if self.in_registers:
            return self.bits
        if not self.constant and not device.circuits.distributed_ram:
            return self.width * (self.depth + (self.depth + 1) // 2)
        banks = -(-self.depth // 16)
        return self.width * (2 * banks - 1) + (0 if self.constant else self.width * banks // 2)


@dataclass(frozen=True)
class Products:
    """``count`` products of operands of so many bits, which may share DSP blocks with each other and no others."""

    count: int
    a_width: int
    b_width: int


@dataclass(frozen=True)
class Resources:
    """What a circuit takes.

    Attributes:
        logic: the estimated LUTs without those of memories and of products for which there is no DSP block.
        products: the multipliers, array by array.
    """

    multipliers: int
    memories: tuple[Memory, ...]
    logic: int
    products: tuple[Products, ...] = ()

    @property
    def memory_bits(self) -> int:
        return sum(memory.bits for memory in self.memories)

    def block_rams(self, device: Device) -> int:
        blocks = device.block_ram.blocks
        return sum(blocks(memory.width, memory.depth) for memory in self.memories if memory.in_block_ram(device))

    def luts(self, device: Device) -> int:
        """Estimated LUTs, memories without block RAM and products without a DSP block included."""
        memories = sum(memory.luts(device) for memory in self.memories if not memory.in_block_ram(device))
        return self.logic + memories + self.products_in_luts(device) * device.dsp.product_luts

    def products_in_luts(self, device: Device) -> int:
        """Products for which a device has no DSP block left: where a block gives several, an array with an odd number
        leaves part of one unused."""
        left, outside = device.dsp_blocks, 0
        for array in self.products:
            together = device.products_of_a_block(array.a_width, array.b_width)
            inside = min(array.count, left * together)
            left -= -(-inside // together) if inside else 0
            outside += array.count - inside
        return outside


def resources(components: Iterable[Component]) -> Resources:
    """The resources of circuits and of all that they contain, each object once.

    Raises:
        TypeError: a circuit whose cost is not known.
    """
    found: dict[int, Component] = {}
    for component in components:
        _collect(component, found)
    inside = list(found.values())
    return Resources(
        sum(array.multipliers for array in inside if isinstance(array, AccumulateArray)),
        tuple(memory for component in inside for memory in _memories(component)),
        sum(_logic(component) for component in inside),
        tuple(
            Products(circuit.count, circuit.a_shape.width, circuit.b_shape.width)
            for circuit in inside
            if isinstance(circuit, Multipliers)
        ),
    )


def _logic(component: Component) -> int:
    kind = type(component)
    if kind in _LOGIC:
        return _LOGIC[kind](component)
    if kind in _PARTS_ONLY:
        return 0
    raise TypeError(f"the cost of {kind.__name__} is not known: {__name__} lacks it")


def _collect(value: Any, found: dict[int, Component]) -> None:
    """Every component that an object holds, itself included."""
    if isinstance(value, Component):
        if id(value) not in found:
            found[id(value)] = value
            for attribute in vars(value).values():
                _collect(attribute, found)
    elif isinstance(value, dict):
        for item in value.values():
            _collect(item, found)
    elif isinstance(value, list | tuple) and value and not isinstance(value[0], int | str):
        for item in value:
            _collect(item, found)


def _memories(component: Component) -> Iterator[Memory]:
    if isinstance(component, Ram):
        yield Memory(component.width, component.depth)
    elif isinstance(component, Rom):
        yield Memory(component.width, len(component.words), constant=True)
    elif isinstance(component, RegisterQueue):
        yield Memory(Shape.cast(component.shape).width, component.depth, in_registers=True)
    elif isinstance(component, Fifo) and not (component.in_registers or component.in_block_ram):
        yield Memory(Shape.cast(component.shape).width, component.depth, read_at_once=True)
    elif isinstance(component, ValueTables) and not component.line:
        yield from [Memory(component.bits, len(component.table), constant=True)] * component.lanes
    elif isinstance(component, AveragePool):
        width = component.format.accumulator_bits * component.lanes
        at_once = not (component.in_registers or component.in_block_ram)
        yield Memory(width, component.groups, read_at_once=at_once, in_registers=component.in_registers)


def _accumulate(array: AccumulateArray) -> int:
    p = array.parameters
    product = Shape.cast(array.multiply.p.shape()).width // p.multipliers
    return p.outputs * ((p.terms - 1) * (product + tree_levels(p.terms) // 2) + 2 * p.sum_bits)


def _held(mac: MacParameters) -> int:
    return 0 if mac.biased else mac.outputs * mac.sum_bits


def _rotation(memory: WindowMemory) -> int:
    p = memory.parameters
    levels = (p.row_banks - 1).bit_length() + (p.column_banks - 1).bit_length() + 1
    return Shape.cast(memory.word).width * p.taps * levels + 3 * p.row_banks * address_width(p.depth)


def _gearbox(gearbox: Gearbox) -> int:
    return 0 if gearbox.simple else gearbox.buffer_bits * (gearbox.capacity.bit_length() + 1)


def _beat_bits(narrow_or_widen: Narrow | Widen, lanes: int) -> int:
    same = narrow_or_widen.lanes_in == narrow_or_widen.lanes_out
    return 0 if same else lanes * Shape.cast(narrow_or_widen.shape).width + 15


def _add(add: Add) -> int:
    bits = max(add.first_table.bits, add.second_table.bits) + 1
    tables = sum(table.adders * table.bits for table in (add.first_table, add.second_table))
    return tables + add.lanes * (bits * (1 + 2 * add.rounds) + 2 * add.shape.width)


_LOGIC: dict[type, Callable[[Any], int]] = {
    AccumulateArray: _accumulate,
    Requantize: lambda requantize: requantize.parameters.cost.luts,
    ResultPath: lambda path: _held(path.parameters) + 40,
    WindowMemory: _rotation,
    Window: lambda window: 150,
    MacPipeline: lambda pipeline: 40,
    Add: _add,
    MaxPool: lambda pool: 2 * pool.comparisons * pool.shape.width + 20,
    AveragePool: lambda pool: 2 * pool.lanes * pool.format.accumulator_bits + 40,
    RegisterQueue: lambda queue: 2 * queue.depth + 2,
    ElasticSource: lambda source: 2 * address_width(source.depth) + 5,
    Fifo: lambda fifo: 0 if fifo.in_registers else 3 * address_width(fifo.depth) + 5,
    CreditQueue: lambda queue: 2 * address_width(queue.depth) + 5,
    Narrow: lambda narrow: _beat_bits(narrow, narrow.lanes_in),
    Widen: lambda widen: _beat_bits(widen, widen.lanes_out),
    Gearbox: _gearbox,
}

_PARTS_ONLY = frozenset(
    (
        Convolution,
        Depthwise,
        Pointwise,
        WindowStream,
        Lookup,
        Multipliers,
        Ram,
        Rom,
        RomSource,
        ValueTables,
        StreamGraph,
        AxiStreamTop,
        AxiStreamInput,
        AxiStreamOutput,
    )
)
"""Circuits that cost what their parts and memories do; at the edges the little more is left out."""
