"""Detection: anchors, decoding and suppression against LiteRT's operator and against loops written apart."""

import json
import math

import numpy as np
import pytest
from detectors import OPTIONS, detector
from PIL import Image

from mbconv.generators.graph.graph import INT8, GraphError, Tensor
from mbconv.generators.operators.detection_post_process import DetectionPostProcess
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.detection.anchors import Grid, generated_anchors, grids
from mbconv.sim.detection.average_precision import FoundBox, average_precision
from mbconv.sim.detection.boxes_file import boxed_pictures
from mbconv.sim.detection.detector import Box, Detector
from mbconv.sim.detection.options import DetectorOptions, read_options
from mbconv.sim.detection.picture_boxes import draw_boxes, in_picture
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.pictures.pictures import load_picture
from mbconv.training.tflite_writer import TfliteWriter


@pytest.fixture(scope="module")
def litert():
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    return oracle.Reference


# The operator at the end of files


def post_processing(rng, quantised):
    """A file of the operator alone, with random options, and random inputs."""
    n, classes, background, regular = (int(rng.integers(*r)) for r in ((3, 120), (1, 5), (0, 2), (0, 2)))
    each = 1 if regular else int(rng.integers(1, 4))
    w = TfliteWriter("post")
    dtype = "uint8" if quantised else "int8"
    boxes = w.input("boxes", (1, n, 4), 0.1, 120 if quantised else 5, dtype)
    scores = w.input("scores", (1, n, classes + background), 1 / 256, 0 if quantised else -128, dtype)
    anchors = np.concatenate([rng.random((n, 2)), rng.random((n, 2)) * 0.4 + 0.05], 1).astype(np.float32)
    if quantised:
        anchors = np.rint(anchors * 200).astype(np.uint8)
    outputs = w.detection_post_process(
        *((boxes, scores) if quantised else (w.dequantize(boxes), w.dequantize(scores))), anchors, classes,
        max_detections=int(rng.integers(1, 30)), max_classes_per_detection=each, use_regular_nms=bool(regular),
        nms_score_threshold=0.3, nms_iou_threshold=float(rng.uniform(0.1, 0.7)),
        detections_per_class=int(rng.integers(1, 20)), anchor_scale=1 / 200 if quantised else None,
    )  # fmt: skip
    for output in outputs:
        w.output(output)
    low, high = (80, 180) if quantised else (-40, 50)
    limits = (0, 256) if quantised else (-128, 128)
    values = {
        boxes: rng.integers(low, high, (1, n, 4)).astype(dtype),
        scores: rng.integers(*limits, (1, n, classes + background)).astype(dtype),
    }
    return w.to_bytes(), values, outputs, each, min(each, classes)


@pytest.mark.parametrize("quantised", [False, True], ids=["real", "uint8"])
@pytest.mark.parametrize("seed", range(12))
def test_the_operator_equals_litert(seed, quantised, litert, tmp_path):
    content, values, outputs, each, of_each = post_processing(np.random.default_rng(seed), quantised)
    path = tmp_path / "post.tflite"
    path.write_bytes(content)
    graph = read_tflite(path)
    found, wanted = golden.run(graph, values), litert(content).run(values)
    count = int(wanted[outputs[3]][0])
    assert found[outputs[3]][0] == count > 0, seed
    for output in outputs[:3]:  # LiteRT leaves the rest as it finds it
        a, b = (r[output][0, : count * each].reshape(count, each, -1)[:, :of_each] for r in (found, wanted))
        np.testing.assert_array_equal(a, b, f"seed {seed}")


def test_a_file_without_the_operators_options_is_refused(tmp_path):
    content, *_ = post_processing(np.random.default_rng(0), False)
    at = content.index(b"num_classes")
    path = tmp_path / "post.tflite"
    path.write_bytes(content[:at] + b"num_clasess" + content[at + 11 :])
    with pytest.raises(GraphError, match="lacks its options num_classes"):
        read_tflite(path)


# Anchors and the detector without it


def anchors_by_loops(maps, ratios, low, high):
    """What the generator's documentation says, place by place."""
    rows = []
    for k, (height, width) in enumerate(maps):
        scale = low + (high - low) * k / (len(maps) - 1)
        following = low + (high - low) * (k + 1) / (len(maps) - 1) if k + 1 < len(maps) else 1.0
        shapes = [(0.1, 1.0), (scale, 2.0), (scale, 0.5)] if k == 0 else [(scale, r) for r in ratios]
        shapes += [] if k == 0 else [(math.sqrt(scale * following), 1.0)]
        for y in range(height):
            for x in range(width):
                for size, ratio in shapes:
                    rows.append([(y + 0.5) / height, (x + 0.5) / width, size / ratio**0.5, size * ratio**0.5])
    return np.array(rows)


def test_anchors_are_those_of_the_generator():
    sizes = [(19, 19), (10, 7), (5, 5), (3, 3)]
    maps = [Grid(h, w, 3 if k == 0 else 6) for k, (h, w) in enumerate(sizes)]
    found = generated_anchors(DetectorOptions(), maps)
    np.testing.assert_allclose(found, anchors_by_loops(sizes, (1, 2, 0.5, 3, 0.3333), 0.2, 0.95), rtol=1e-6)
    with pytest.raises(GraphError, match=r"map 1 of 10×7 has 5 boxes at each place, but .* options make 6"):
        generated_anchors(DetectorOptions(), [maps[0], Grid(10, 7, 5)])


@pytest.fixture
def small(tmp_path):
    """A detector of two classes and a background: its file, and its graph."""
    w, boxes, scores = detector(3)
    w.output(boxes)
    w.output(scores)
    path = tmp_path / "small.tflite"
    w.write(path)
    return path, read_tflite(path)


@pytest.mark.parametrize("seed", range(4))
def test_boxes_are_those_of_litert_with_its_own_operator(seed, litert, tmp_path):
    """The same network with dequantisation, sigmoid and the operator behind it, all in LiteRT."""
    options = DetectorOptions(score_threshold=0.4, iou_threshold=0.5, max_detections=20).with_texts(OPTIONS)
    w, boxes, scores = detector(seed)
    w.output(boxes)
    w.output(scores)
    path = tmp_path / "raw.tflite"
    w.write(path)
    graph = read_tflite(path)
    anchors = generated_anchors(options, grids(graph, graph.outputs[0]))

    w, boxes, scores = detector(seed)
    sigmoid = w.operator("LOGISTIC", (w.dequantize(scores),), w.tensors[scores].shape, None, None)
    outputs = w.detection_post_process(
        w.dequantize(boxes), sigmoid, anchors, 2, max_detections=20, detections_per_class=20, use_regular_nms=True,
        nms_score_threshold=0.4, nms_iou_threshold=0.5,
    )  # fmt: skip
    for output in outputs:
        w.output(output)
    values = {graph.inputs[0]: np.random.default_rng(seed).integers(-128, 128, (1, 16, 16, 3)).astype(np.int8)}
    edges, classes, numbers, count = (litert(w.to_bytes()).run(values)[output] for output in outputs)
    found = Detector(graph, options).boxes(golden.run(graph, values))
    assert len(found) == int(count[0]) > 3
    kept = sorted((box.index, -box.score, box.top, box.left, box.bottom, box.right) for box in found)
    wanted = sorted((int(c), -s, *e) for c, s, e in zip(classes[0], numbers[0], edges[0], strict=True))
    wanted = [row for row in wanted if row[1] < 0][: len(found)]
    np.testing.assert_allclose(np.array(kept), np.array(wanted), atol=2e-6)


def test_a_detector_with_its_own_operator_gives_the_operators_boxes(litert, tmp_path):
    w, boxes, scores = detector(5)
    anchors = np.tile(np.array([[0.5, 0.5, 0.3, 0.2]], np.float32), (w.tensors[boxes].shape[1], 1))
    anchors[:, 0] += np.arange(len(anchors)) / 100
    outputs = w.detection_post_process(
        w.dequantize(boxes), w.dequantize(w.unary("LOGISTIC", scores, 1 / 256, -128)), anchors, 3, max_detections=5
    )
    for output in outputs:
        w.output(output)
    path = tmp_path / "whole.tflite"
    w.write(path)
    graph = read_tflite(path)
    values = {graph.inputs[0]: np.random.default_rng(5).integers(-128, 128, (1, 16, 16, 3)).astype(np.int8)}
    edges, classes, numbers, count = (litert(path).run(values)[output] for output in outputs)
    found = Detector(graph, DetectorOptions(score_threshold=0)).boxes(golden.run(graph, values))
    assert len(found) == int(count[0]) > 0
    for k, box in enumerate(found):
        assert box == Box(*edges[0, k].tolist(), int(classes[0, k]), float(numbers[0, k]))
    assert isinstance(Detector(graph, DetectorOptions()).operator, DetectionPostProcess)


def test_scores_and_labels(small):
    _, graph = small
    values = golden.run(graph, {graph.inputs[0]: np.full((1, 16, 16, 3), 7, np.int8)})
    for how in ("softmax", "none", "sigmoid"):
        made = Detector(graph, DetectorOptions(scores=how, score_threshold=0).with_texts(OPTIONS))
        scores = np.array([box.score for box in made.boxes(values)])
        assert (np.diff(scores) <= 0).all()
        assert how == "none" or ((scores >= 0).all() and (scores <= 1).all())
    assert made.classes == 2 and made.check_labels(["background", "cat", "dog"]) == made.check_labels(["cat", "dog"])
    with pytest.raises(GraphError, match="4 labels were given for the 2 classes of small"):
        made.check_labels(list("abcd"))
    assert Detector(graph, DetectorOptions(background=False).with_texts(OPTIONS)).classes == 3


# Options


def test_options_are_kept_beside_the_model(tmp_path):
    options = DetectorOptions().with_texts(["min_scale=0.15", "scores=softmax", "background=true", "max_detections=7"])
    assert (options.min_scale, options.scores, options.background, options.max_detections) == (0.15, "softmax", True, 7)
    options.write(tmp_path / "m.detector.json")
    assert read_options(tmp_path / "m.detector.json") == options


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("min_scale", "is not NAME=VALUE"),
        ("size=3", "'size' is no option of a detector"),
        ("min_scale=small", "that is no value of its kind"),
        ("min_scale=-1", "min_scale is -1; it is finite and more than 0"),
        ("iou_threshold=2", "a number from 0 to 1"),
        ("scores=relu", "one of auto, sigmoid, softmax, none"),
        ("max_detections=1.5", "that is no value of its kind"),
        ("aspect_ratios=[]", "aspect_ratios is"),
        ("aspect_ratios=[1, true]", "that is no value of its kind"),
        ("aspect_ratios=1,2", r'is "1,2", where \[1.0, 2.0, 0.5, 3.0, 0.3333\] is usual'),
    ],
)
def test_options_that_are_none(text, message):
    with pytest.raises(GraphError, match=message):
        DetectorOptions().with_texts([text])


# Pictures


@pytest.mark.parametrize("resize", ["crop", "stretch", "fit", 40])
@pytest.mark.parametrize("size", [(200, 100), (100, 160), (90, 90)])
def test_a_box_lies_where_the_network_saw_it(size, resize, tmp_path):
    """A white square, found again in the input, is put back where it was."""
    square = (0.4, 0.45, 0.6, 0.6)  # left, top, right, bottom
    edges = [round(part * size[axis % 2]) for axis, part in enumerate(square)]
    picture = Image.new("L", size)
    picture.paste(255, tuple(edges))
    picture.save(tmp_path / "square.png")
    source = Tensor(0, "picture", (1, 32, 24, 1), INT8, 1.0, 0)
    seen = load_picture(tmp_path / "square.png", source, resize)[0, :, :, 0] > 64
    rows, columns = np.flatnonzero(seen.any(1)), np.flatnonzero(seen.any(0))
    box = Box(rows[0] / 32, columns[0] / 24, (rows[-1] + 1) / 32, (columns[-1] + 1) / 24, 0, 1.0)
    (found,) = in_picture([box], size, source, resize)
    pixel = max(size) / 20  # of the input, in the picture
    for part, edge, length in zip((found.left, found.top, found.right, found.bottom), edges, size * 2, strict=True):
        assert abs(part * length - edge) <= pixel


def test_boxes_are_drawn_and_what_is_outside_is_cut(tmp_path):
    Image.new("RGB", (60, 40)).save(tmp_path / "black.png")
    source = Tensor(0, "picture", (1, 32, 32, 3), INT8, 1.0, 0)
    boxes = in_picture([Box(0.25, -0.5, 0.75, 0.5, 0, 0.9)], (60, 40), source, "stretch")
    assert boxes == [Box(0.25, 0.0, 0.75, 0.5, 0, 0.9)]
    draw_boxes(tmp_path / "black.png", boxes, ["person"], tmp_path / "drawn.png")
    with Image.open(tmp_path / "drawn.png") as picture:
        drawn = np.asarray(picture).any(axis=2)
    assert drawn.shape == (40, 60) and drawn[29, 5:29].all() and not drawn[35:].any() and not drawn[20:, 31:].any()


# Average precision


def precision_by_thresholds(found, there, iou):
    """Area under the greatest precision at each recall or more, threshold by threshold."""
    total = sum(map(len, there))

    def right(kept):
        taken, hits = set(), 0
        for box in kept:
            best, place = 0.0, None
            for k, (top, left, bottom, right_edge) in enumerate(there[box.picture]):
                bt, bl, bb, br = box.edges
                h, w = min(bottom, bb) - max(top, bt), min(right_edge, br) - max(left, bl)
                common = max(h, 0) * max(w, 0)
                part = common / ((bottom - top) * (right_edge - left) + (bb - bt) * (br - bl) - common)
                if part > best:
                    best, place = part, k
            if best >= iou and (box.picture, place) not in taken:
                taken.add((box.picture, place))
                hits += 1
        return hits

    found = sorted(found, key=lambda box: -box.score)
    points = [(right(found[:n]), n) for n in range(1, len(found) + 1)]
    area = 0.0
    for hits in range(1, total + 1):
        area += max((h / n for h, n in points if h >= hits), default=0.0) / total
    return area


@pytest.mark.parametrize("seed", range(6))
def test_average_precision_is_the_area_under_the_curve(seed):
    rng = np.random.default_rng(seed)

    def box():
        top, left = rng.random(2) * 0.7
        return (top, left, *(np.array([top, left]) + rng.uniform(0.1, 0.3, 2)))

    there = [[box() for _ in range(rng.integers(0, 4))] for _ in range(5)] + [[box()]]
    found = [FoundBox(int(rng.integers(0, 6)), box(), float(rng.random())) for _ in range(20)]
    for k, boxes in enumerate(there):
        for edges in boxes:
            moved = tuple(np.array(edges) + rng.normal(0, 0.02, 4))
            found.append(FoundBox(k, moved, float(rng.random())))
    assert average_precision(found, there) == pytest.approx(precision_by_thresholds(found, there, 0.5), abs=1e-12)


def test_what_is_found_in_full_and_in_nothing():
    there = [[(0.0, 0.0, 0.5, 0.5)], []]
    hit, miss = FoundBox(0, (0.0, 0.0, 0.5, 0.5), 0.5), FoundBox(1, (0.0, 0.0, 0.5, 0.5), 0.9)
    assert average_precision([hit], there) == 1 and average_precision([hit, hit], there) == 1
    assert average_precision([hit, miss], there) == 0.5 and average_precision([], there) == 0
    with pytest.raises(ValueError, match="no picture has a box"):
        average_precision([hit], [[], []])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is no JSON"),
        ("[]", "holds no pictures"),
        ('{"a": {"person": true}}', "holds no boxes"),
        ('{"a": {"person_boxes_xyxy_norm": [[0, 0, 1]]}}', "the boxes of a are no list of"),
        ('{"a": {"person_boxes_xyxy_norm": [[0.5, 0, 0.2, 1]]}}', "the boxes of a are no list of"),
        ('{"a": {"person_boxes_xyxy_norm": [[0, 0, 0.2, 1]]}}', "lacks pictures that .* names: a"),
    ],
)
def test_files_of_boxes_that_are_none(content, message, tmp_path):
    (tmp_path / "boxes.json").write_text(content)
    with pytest.raises(GraphError, match=message):
        boxed_pictures(tmp_path / "boxes.json")


def test_a_file_of_boxes(tmp_path):
    Image.new("L", (4, 4)).save(tmp_path / "a.png")
    Image.new("L", (4, 4)).save(tmp_path / "b.png")
    entries = {"a": {"cat_boxes_xyxy_norm": [[0.1, 0.2, 0.3, 0.4]]}, "b.png": {"dog_boxes_xyxy_norm": [], "x": 1}}
    (tmp_path / "boxes.json").write_text(json.dumps(entries))
    found = boxed_pictures(tmp_path / "boxes.json")
    assert [path.name for path in found.pictures] == ["a.png", "b.png"]
    assert found.boxes == {"cat": (((0.2, 0.1, 0.4, 0.3),), ()), "dog": ((), ())}
    assert found.spread(1).pictures == found.pictures[:1]
