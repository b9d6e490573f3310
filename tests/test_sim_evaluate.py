"""Labelled pictures, top-1 accuracy and the best classes of an answer."""

import numpy as np
import pytest
from PIL import Image

from mbconv.generators.graph.graph import INT8, UINT8, Graph, GraphError, Tensor
from mbconv.generators.operators.average_pool import AveragePool
from mbconv.generators.operators.fully_connected import FullyConnected
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.golden import oracle
from mbconv.sim.pictures import evaluate as evaluation
from mbconv.sim.pictures.evaluate import KERNELS, compare_kernels, evaluate, has_background, labelled_pictures
from mbconv.sim.pictures.prediction import read_labels, save_results, top_classes


def brightest_channel(outputs, first):
    """A classifier of 2 × 2 pictures whose output ``first + c`` is the mean of colour c."""
    source = Tensor(0, "picture", (1, 2, 2, 3), UINT8, 1.0, 0)
    pooled = Tensor(1, "mean", (1, 1, 1, 3), UINT8, 1.0, 0)
    scores = Tensor(2, "scores", (1, outputs), UINT8, 1.0, 0)
    weights = np.zeros((outputs, 3), np.int8)
    weights[first : first + 3] = np.eye(3)
    pool = AveragePool(0, (0,), (1,), (2, 2), (2, 2))
    bias, scales = np.zeros(outputs, np.int32), np.ones(1, np.float32)
    dense = FullyConnected(1, (1,), (2,), weights, INT8, 0, scales, bias)
    return Graph("colours", {0: source, 1: pooled, 2: scores}, (pool, dense), (0,), (2,))


def save(path, colour):
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((5, 4, 3), colour, np.uint8)).save(path)


RED, GREEN, BLUE = (200, 10, 20), (10, 200, 20), (10, 20, 200)


@pytest.fixture
def folders(tmp_path):
    for name, colour in (("a", RED), ("b", GREEN), ("c", BLUE)):
        save(tmp_path / name / "1.png", colour)
    save(tmp_path / "b" / "2.png", BLUE)  # the wrong answer
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    return tmp_path


@pytest.mark.parametrize(("outputs", "background"), [(3, 0), (4, 1)])
def test_a_folder_for_each_class(folders, outputs, background):
    pictures = labelled_pictures(folders)
    assert [(p.path.name, p.label) for p in pictures.pictures] == [
        ("1.png", 0),
        ("1.png", 1),
        ("2.png", 1),
        ("1.png", 2),
    ]
    seen = []
    result = evaluate(brightest_channel(outputs, background), pictures, seen.append)
    assert tuple(seen) == result.answers
    assert result.background == bool(background)
    assert [a.golden - background for a in result.answers] == [0, 1, 2, 2]
    assert [a.label - background for a in result.answers] == [0, 1, 1, 2]
    assert result.top1 == 0.75
    assert result.reference_top1 is None and result.mismatches is None


def test_names_that_carry_indices(tmp_path):
    save(tmp_path / "002_blue.png", BLUE)
    save(tmp_path / "0_red.jpg", RED)
    pictures = labelled_pictures(tmp_path)
    assert pictures.classes is None
    result = evaluate(brightest_channel(3, 0), pictures)
    assert result.top1 == 1 and not result.background
    assert evaluate(brightest_channel(1001, 1), pictures).top1 == 1
    save(tmp_path / "green.png", GREEN)
    with pytest.raises(GraphError, match=r"the class of .*green\.png is unknown: begin the name with its index"):
        labelled_pictures(tmp_path)


def test_a_background_class_is_one_more():
    assert has_background(11, 10) and not has_background(10, 10) and not has_background(12, 10)
    assert has_background(1001, None) and not has_background(1000, None) and not has_background(11, None)


def test_what_cannot_be_evaluated(tmp_path):
    with pytest.raises(GraphError, match="is no directory of pictures"):
        labelled_pictures(tmp_path / "missing")
    with pytest.raises(GraphError, match="holds no pictures"):
        labelled_pictures(tmp_path)
    save(tmp_path / "7_far.png", RED)
    with pytest.raises(GraphError, match=r"the classes 0 to 2; of other classes are .*7_far\.png \(7\)"):
        evaluate(brightest_channel(3, 0), labelled_pictures(tmp_path))


def test_folders_are_as_many_as_classes(folders):
    with pytest.raises(GraphError, match="3 folders of classes, but colours has 5 outputs"):
        evaluate(brightest_channel(5, 0), labelled_pictures(folders))


def test_the_best_classes():
    scores = Tensor(0, "scores", (1, 4), INT8, 0.5, -2)
    best = top_classes(scores, np.array([[3, 9, -5, 9]], np.int8), 3, ["a", "b", "c", "d"])
    assert [(c.index, c.integer, c.score, c.label) for c in best] == [
        (1, 9, 5.5, "b"),
        (3, 9, 5.5, "d"),
        (0, 3, 2.5, "a"),
    ]
    real = top_classes(scores, np.array([[0.5, 0.25]], np.float32))
    assert [(c.index, c.integer, c.score, c.label) for c in real] == [(0, None, 0.5, None), (1, None, 0.25, None)]
    with pytest.raises(GraphError, match="2 labels were given for the 4 classes of scores"):
        top_classes(scores, np.zeros((1, 4), np.int8), labels=["a", "b"])


def test_labels_and_results_in_files(tmp_path):
    (tmp_path / "labels.txt").write_text("eins\nzwei\ndreißig\n", encoding="utf-8")
    assert read_labels(tmp_path / "labels.txt") == ["eins", "zwei", "dreißig"]
    with pytest.raises(GraphError, match=r"cannot read labels .*: No such file"):
        read_labels(tmp_path / "none.txt")
    graph = brightest_channel(3, 0)
    results = {0: np.zeros((1, 2, 2, 3), np.uint8), 1: np.ones((1, 1, 1, 3), np.uint8), 2: np.full((1, 3), 2, np.uint8)}
    save_results(tmp_path / "few.npz", graph, results)
    save_results(tmp_path / "all", graph, results, every_tensor=True)
    few, every = np.load(tmp_path / "few.npz"), np.load(tmp_path / "all")
    assert set(few) == {"out0"} and set(every) == {"out0", "0", "1", "2"}
    np.testing.assert_array_equal(every["out0"], results[2])
    np.testing.assert_array_equal(every["1"], results[1])
    with pytest.raises(GraphError, match="cannot write"):
        save_results(tmp_path / "no" / "x.npz", graph, results)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("model", "correct"),
    [
        ("mobilenet_v1_0.25_128_quant", 17),
        pytest.param("tf2_mobilenet_v2_1.0_224_ptq", 32, marks=pytest.mark.slow),  # LiteRT takes a second a picture
    ],
)
def test_imagenet_pictures_beside_litert(shared, model, correct):
    pytest.importorskip("ai_edge_litert", reason="compares with LiteRT: pip install 'mbconv[oracle]'")
    path = shared / "models" / f"{model}.tflite"
    pictures = labelled_pictures(shared / "images" / "imagenet40")
    result = evaluate(read_tflite(path), pictures, reference=oracle.Reference(path))
    assert len(result.answers) == 40 and result.background
    assert result.mismatches == 0
    assert result.top1 == result.reference_top1 == correct / 40


def test_pictures_beside_folders_of_pictures(folders):
    save(folders / "007_red.png", RED)
    with pytest.raises(GraphError, match=r"holds pictures itself \(007_red\.png\) and in folders \(a\)"):
        labelled_pictures(folders)


def test_kernels_are_counted_picture_by_picture(folders, monkeypatch):
    """Against kernels of our own: the reference is right, another is two steps off where a picture is blue, the third
    takes green for red."""
    graph = brightest_channel(3, 0)

    class Kernels:
        def __init__(self, model, kernels):
            self.kernels = kernels

        def run(self, values):
            found = golden.run(graph, values)
            scores = found[2].copy()
            if self.kernels == KERNELS[1] and scores[0, 2] == scores.max():
                scores[0, 0] += 2
            if self.kernels == KERNELS[2] and scores[0, 1] == scores.max():
                scores = scores[:, [1, 0, 2]]
            return found | {2: scores}

    monkeypatch.setattr(evaluation, "Reference", Kernels)
    seen = []
    rows = compare_kernels(graph, labelled_pictures(folders), "colours.tflite", lambda: seen.append(1))
    assert len(seen) == 4
    assert [(row.kernels, row.pictures, row.differ, row.largest, row.other_class) for row in rows] == [
        (KERNELS[0], 4, 0, 0, 0),
        (KERNELS[1], 4, 2, 2, 0),
        (KERNELS[2], 4, 1, 190, 1),
    ]
