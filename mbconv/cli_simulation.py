"""How a simulation's result is printed."""

from __future__ import annotations

from mbconv.generators.graph.shown import counted

from .cli_output import results
from .cli_table import Rows


def print_result(graph, result, inputs: str = "") -> None:
    """The result as a table, the verdict last; ``inputs`` says what the frames are, where that is not plain."""
    rows = Rows("", "simulated", "predicted", left=("",))
    rows.add_row("interval, cycles", _number(result.interval_cycles), _number(result.predicted_interval_cycles))
    rows.add_row("latency, cycles", _number(result.latency_cycles), _number(result.predicted_latency_cycles))
    console = results()
    console.print(
        f"{graph.name}: {counted(len(graph.operators), 'operator')}, "
        f"{counted(result.frames, 'frame')} back to back{inputs}"
    )
    console.print(rows)
    console.print(
        f"{counted(result.multipliers, 'multiplier')} of {result.budget}; {counted(result.macs, 'MAC')} a frame; "
        f"MAC efficiency {_percent(result.mac_efficiency)} of the budget, "
        f"{_percent(result.mac_efficiency_used)} of the multipliers used; {result.seconds:.1f} s"
    )
    if result.first_mismatch:
        console.print(f"first mismatch: {result.first_mismatch}")
    if result.interval_cycles not in (None, result.predicted_interval_cycles):
        console.print("the interval is not the predicted one")
    console.print(f"{counted(result.mismatches, 'mismatch')} in {counted(result.elements, 'element')}")


def print_stalls(result, manifest) -> None:
    """Of every stream how long, in the time of the last frame, it waited for its reader and its reader for it."""
    readers: dict[int, list[str]] = {}
    for stage in manifest["stages"]:
        for tensor in stage["inputs"]:
            readers.setdefault(tensor, []).append(stage["name"])
    outputs = {port["tensor"] for port in manifest["ports"] if port["direction"] == "output"}
    rows = Rows("stream of", "read by", "beats", "stalled", "starved", left=("stream of", "read by"))
    for stream in result.streams:
        names = readers.get(stream.tensor, []) + (["output"] if stream.tensor in outputs else [])
        cells = (stream.beats, stream.stalled[-1], stream.starved[-1])
        rows.add_row(stream.stage, " ".join(names), *map(_number, cells))
    console = results()
    console.print(rows)
    console.print(
        "cycles of the last frame: stalled, a beat waited for its reader; starved, a reader waited for a beat. The "
        "stage between a stream that stalls and one that starves sets the pace"
    )


def classified(whole, part, bundle, result, inputs, images, model: str) -> list[dict]:
    """What the circuit, and the host behind it, answered to each picture, where the outputs are those of a classifier:
    of the frames, pictures come first and as they are."""
    from mbconv.models import builtin
    from mbconv.sim.pictures.prediction import is_classes, top_classes
    from mbconv.sim.simulation.host import host_outputs

    if tuple(part.outputs) != tuple(whole.outputs) or len(part.outputs) != 1:
        return []
    output = part.tensors[part.outputs[0]]
    if not is_classes(output):
        return []
    known = builtin(str(bundle.manifest["source"]["model"]) if bundle.manifest.get("source") else model)
    answers = []
    for frame, image in enumerate(images[: result.frames]):
        outputs = {tensor: values[frame] for tensor, values in result.outputs.items()}
        values = host_outputs(part, outputs, inputs[frame])[output.index]
        best = top_classes(output, values, 1, known.labels if known else None)[0]
        answers.append({"image": str(image), "class": best.index, "label": best.label, "score": best.score})
    return answers


def _number(value: int | None) -> str:
    return "—" if value is None else f"{value:,}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"
