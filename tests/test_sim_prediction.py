"""What an output says: classes of scores and of ARG_MAX, and lists of names that do not fit."""

import numpy as np
import pytest

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.sim.golden import model as golden
from mbconv.sim.pictures.evaluate import LabelledPicture, LabelledPictures, evaluate
from mbconv.sim.pictures.prediction import best_class, check_labels, class_count, read_labels, top_classes
from mbconv.training.tflite_writer import TfliteWriter


@pytest.fixture
def classifier(tmp_path):
    """Scores of four classes, and the place of the greatest."""
    w = TfliteWriter("classifier")
    x = w.mean(w.input("picture", (1, 2, 2, 1), 1 / 255, -128))
    x = w.fully_connected(x, np.array([[-3], [7], [100], [20]]), 0.01, np.zeros(4, int), 0.01, 0)
    w.output(w.arg_max(x))
    w.output(x)
    path = tmp_path / "classifier.tflite"
    w.write(path)
    return read_tflite(path)


def test_a_class_by_its_place(classifier):
    place, scores = (classifier.tensors[index] for index in classifier.outputs)
    results = golden.run(classifier, {classifier.inputs[0]: np.full((1, 2, 2, 1), 90, np.int8)})
    assert class_count(classifier, place.index) == class_count(classifier, scores.index) == 4
    assert best_class(place, results[place.index]) == best_class(scores, results[scores.index]) == 2
    (only,) = top_classes(place, results[place.index], labels=list("abcd"))
    assert (only.index, only.score, only.label) == (2, None, "c")


def test_an_accuracy_by_places(classifier, tmp_path):
    from PIL import Image

    Image.new("L", (2, 2), 255).save(tmp_path / "2_white.png")
    path = tmp_path / "2_white.png"
    assert evaluate(classifier, LabelledPictures((LabelledPicture(path, 2),), 4)).top1 == 1
    with pytest.raises(
        GraphError, match=r"classifier has the classes 0 to 3; of other classes are .*absent .4., .*absent .4."
    ):
        evaluate(classifier, LabelledPictures((LabelledPicture(tmp_path / "absent", 4),) * 2, 4))


@pytest.mark.parametrize(("count", "reason"), [(3, "wants a line of its own"), (5, "5 labels were given for the 4")])
def test_labels_of_another_number(classifier, tmp_path, count, reason):
    path = tmp_path / "labels.txt"
    path.write_text("\n".join(map(str, range(count))) + "\n\n")
    labels = read_labels(path)
    assert len(labels) == count, "empty lines at the end are none"
    with pytest.raises(GraphError, match=reason):
        check_labels(classifier, labels)
    check_labels(classifier, list("abcd"))
