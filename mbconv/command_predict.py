"""``mbconv predict``: the golden model's answer to one picture."""

from __future__ import annotations

import click

from mbconv.generators.graph.shown import counted

from .cli_board import baud_option
from .cli_detection import box_fields, box_labels, box_rows, detector_option, made_detector, save_option
from .cli_errors import UserError, require_extra
from .cli_options import Numbers, existing_file, json_option, model_argument, output_file
from .cli_output import print_json, progress_console, results, shape_text
from .cli_table import Rows


@click.command(short_help="The golden model's answer.")
@model_argument
@click.option("--image", type=existing_file, help="A picture: cropped, resized and quantised to the input.")
@click.option(
    "--input", "values_file", type=existing_file, metavar="FILE.npy", help="The input's integers as they are."
)
@click.option("--labels", type=existing_file, help="Names of the classes, one a line.")
@click.option("--top", type=click.IntRange(min=1), default=5, show_default=True, help="How many classes to print.")
@click.option("--save", type=output_file, metavar="FILE.npz", help="Store the outputs.")
@click.option("--all", "every_tensor", is_flag=True, help="With --save: every tensor, under its index in the file.")
@click.option("--resize", help="crop (default), stretch, fit, or a number: pixels of the shorter side before the crop.")
@click.option("--mean", type=Numbers(), help="Subtracted from pixels of 0 to 255: one number or one for each channel.")
@click.option("--std", type=Numbers(), help="Divides what is left: one number or one for each channel.")
@click.option("--boxes", "drawing", type=output_file, metavar="OUT.png",
              help="Of a detector: draw the boxes that it finds on the picture.")  # fmt: skip
@detector_option
@save_option
@click.option("--port", metavar="DEVICE", help="Ask the board at this serial port instead of the golden model.")
@baud_option
@json_option
def predict(
    model, image, values_file, labels, top, save, every_tensor, resize, mean, std, drawing, changes, save_detector,
    port, baud, as_json,
) -> None:  # fmt: skip
    """Compute a model's answer in integers, bit for bit as LiteRT's reference kernels do.

    With --port a board computes it, which must hold this model (mbconv build, mbconv load).

    A picture is centre-cropped to the input's shape, resized (bilinear) and quantised to the range that the input's
    scale and zero point span; --resize, --mean and --std override. --save stores the outputs as out0, out1 and so on.

    A detector of the SSD kind finds boxes: --boxes OUT.png draws them. It sees the whole picture (--resize stretch)
    unless told otherwise.
    """
    if (image is None) == (values_file is None):
        raise UserError("give one of --image FILE and --input FILE.npy")
    if every_tensor and save is None:
        raise UserError("--all says what --save FILE.npz stores; give both")
    if port is None and baud is not None:
        raise UserError("--baud is the rate of a board's link: give it with --port DEVICE")
    if port is not None and every_tensor:
        raise UserError("--all stores what the golden model computes within; a board gives its outputs only")
    if drawing is not None and image is None:
        raise UserError("--boxes draws on a picture: give it with --image FILE")
    if drawing is None and (changes or save_detector):
        raise UserError("--detector and --save-detector go with --boxes OUT.png")
    if port is not None:
        require_extra("board", "a board's link")
    if values_file is not None and not (resize is mean is std is None):
        raise UserError("--input is taken as it is; --resize, --mean and --std go with --image")

    from mbconv.sim.pictures.evaluate import SUFFIXES
    from mbconv.sim.simulation.writable import check_writable

    if values_file is not None and values_file.suffix.lower() in SUFFIXES:
        raise UserError(f"--input takes the integers of a .npy file; a picture such as {values_file} goes with --image")
    if save is not None:
        check_writable(save, "file of numpy.savez", [b"PK\x03\x04"])
    if drawing is not None:
        from mbconv.sim.detection.picture_boxes import check_drawing

        check_drawing(drawing)
        if drawing.exists() and drawing.samefile(image):
            raise UserError(f"--boxes would replace the picture {image}: give another name")
        check_writable(drawing)
        resize = resize or "stretch"
    from mbconv.models import builtin, load
    from mbconv.sim.golden import model as golden
    from mbconv.sim.pictures import pictures, prediction

    graph = load(model)
    if len(graph.inputs) != 1:
        raise UserError(f"{graph.name} has {len(graph.inputs)} inputs; predict takes models with one")
    source = graph.tensors[graph.inputs[0]]
    detector = None if drawing is None else made_detector(model, graph, changes, save_detector)
    known = builtin(model)
    names = prediction.read_labels(labels) if labels is not None else known.labels if known else None
    classes = {index for index in graph.outputs if prediction.is_classes(graph.tensors[index])}
    if detector is not None:
        names, classes = box_labels(detector, labels), set()
    elif labels is not None:
        prediction.check_labels(graph, names)
    if image is not None:
        values = pictures.load_picture(image, source, resize or "crop", mean, std)
    else:
        values = pictures.load_values(values_file, source)
    if port is None:
        computed = golden.run(graph, {source.index: values})
    else:
        from mbconv.board import Board

        with Board(port, graph, baud) as board:
            computed = board.outputs(values)
    outputs = []
    for index in graph.outputs:
        tensor = graph.tensors[index]
        scores = prediction.top_classes(tensor, computed[index], top, names) if index in classes else []
        outputs.append((tensor, scores))
    if save is not None:
        prediction.save_results(save, graph, computed, every_tensor)
    boxes = []
    if detector is not None:
        from mbconv.sim.detection.picture_boxes import draw_boxes, in_picture
        from mbconv.sim.pictures.picture_file import open_picture

        size = open_picture(image, "RGB").size
        boxes = in_picture(detector.boxes(computed), size, source, resize)
        draw_boxes(image, boxes, names, drawing)
    if as_json:
        print_json(
            "predict",
            {
                "model": graph.name,
                "input": str(image or values_file),
                "outputs": [
                    {
                        "tensor": tensor.index,
                        "name": tensor.name,
                        "shape": tensor.shape,
                        "top": [
                            {"class": s.index, "label": s.label, "integer": s.integer, "score": s.score} for s in scores
                        ],
                    }
                    for tensor, scores in outputs
                ],
                "saved": None if save is None else str(save),
                "boxes": None if detector is None else [box_fields(box, names) for box in boxes],
            },
        )
        return
    console = results()
    if detector is not None:
        found = counted(len(boxes), "box")
        console.print(f"{found} in {image}, drawn in {drawing}")
        if boxes:
            console.print(box_rows(boxes, names, size))
        outputs = []
    for tensor, scores in outputs:
        if len(outputs) > 1:
            console.print(f"output {tensor.index} ({tensor.name})")
        if tensor.index not in classes:
            found = computed[tensor.index]
            console.print(
                f"a map of {shape_text(tensor.shape)}, no classes: from {found.min():,} to {found.max():,}, mean "
                f"{found.mean():,.2f}; --save FILE.npz stores it"
            )
            continue
        columns = Rows("class", "score", "integer", *(["label"] if names else []), left=("label",))
        for score in scores:
            integer = "" if score.integer is None else str(score.integer)
            label = [score.label] if names else []
            columns.add_row(str(score.index), "" if score.score is None else f"{score.score:.4f}", integer, *label)
        console.print(columns)
    if save is not None:
        progress_console().print(f"saved {save}")
