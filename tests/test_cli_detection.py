"""predict --boxes and evaluate --boxes: what they print, draw, save and refuse."""

import json

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from detectors import OPTIONS, detector
from PIL import Image

from mbconv.cli import main
from mbconv.schemas import schema

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")


def run(*arguments, code=0):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == code, result.output
    return result.output if code else result.stdout


@pytest.fixture
def folder(tmp_path):
    """A detector, three pictures, and a file of boxes that holds what the detector itself found in two of them."""
    w, boxes, scores = detector(1, scores=2)
    w.output(boxes)
    w.output(scores)
    w.write(tmp_path / "small.tflite")
    rng = np.random.default_rng(1)
    entries = {}
    for name in ("a", "b", "c"):
        Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(tmp_path / f"{name}.png")
        found = predicted(tmp_path, name)
        edges = [[box[edge] for edge in ("left", "top", "right", "bottom")] for box in found]
        entries[name] = {"person_boxes_xyxy_norm": [] if name == "c" else edges}
    assert entries["a"]["person_boxes_xyxy_norm"]
    (tmp_path / "boxes.json").write_text(json.dumps(entries))
    return tmp_path


def detector_options(least=0.5):
    return [word for text in (*OPTIONS, f"score_threshold={least}") for word in ("--detector", text)]


def predicted(folder, name):
    drawing = folder / "drawn.jpg"
    arguments = "--image", folder / f"{name}.png", "--boxes", drawing, *detector_options(), "--json"
    found = json.loads(run("predict", folder / "small.tflite", *arguments))
    with Image.open(drawing) as drawn:
        assert drawn.size == (32, 24)
    drawing.unlink()
    jsonschema.validate(found, schema("predict"), cls=jsonschema.Draft202012Validator)
    return found["boxes"]


def test_boxes_of_a_picture(folder):
    (folder / "labels.txt").write_text("background\nperson\n")
    found = predicted(folder, "a")
    arguments = "--image", folder / "a.png", "--boxes", folder / "drawn.png", "--labels", folder / "labels.txt"
    text = run("predict", folder / "small.tflite", *arguments, *detector_options(), "--save-detector")
    assert f"{len(found)} box" in text and "person" in text and f"{found[0]['score']:.4f}" in text
    assert json.loads((folder / "small.detector.json").read_text())["aspect_ratios"] == [1.0, 2.0]
    assert run("predict", folder / "small.tflite", *arguments) == text, "read from beside the model"


def test_average_precision_of_what_it_found_itself(folder):
    """All boxes that it is sure of are there, and the best of them come first."""
    common = folder / "small.tflite", "--boxes", folder / "boxes.json", *detector_options()
    found = json.loads(run("evaluate", *common, "--json"))
    jsonschema.validate(found, schema("evaluate-boxes"), cls=jsonschema.Draft202012Validator)
    assert found["pictures"] == 3 and 0.3 < found["average_precision"]["person"] <= 1
    if found["reference"] is not None:
        assert found["reference"] == found["average_precision"] and found["mismatches"] == 0
    text = run("evaluate", *common, "--limit", 2)
    assert "2 pictures" in text and "person" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("predict", "MODEL", "--input", "boxes.json", "--boxes", "out.png"), "give it with --image"),
        (("predict", "MODEL", "--image", "a.png", "--detector", "min_scale=1"), "go with --boxes"),
        (("predict", "MODEL", "--image", "a.png", "--boxes", "out.xyz"), "says no kind of picture"),
        (("predict", "MODEL", "--image", "a.png", "--boxes", "out.png"), "has 2 boxes at each place, but"),
        (
            ("predict", "MODEL", "--image", "a.png", "--boxes", "out.png", "--detector", "x=1"),
            "no option of a detector",
        ),
        (("predict", "digits", "--image", "a.png", "--boxes", "out.png"), "no detector that --boxes knows"),
        (("evaluate", "MODEL", "--boxes", "a.png"), "cannot read|is no JSON"),
        (("evaluate", "MODEL", "--boxes", "none.json"), "does not exist"),
        (("evaluate", "MODEL", "--images", ".", "--labels", "boxes.json"), "go with --boxes"),
        (("evaluate", "MODEL", "--boxes", "boxes.json", "--compare-default-kernels"), "compares classifiers"),
        (("evaluate", "MODEL", "--boxes", "boxes.json", "--images", "empty", "OPTIONS"), "lacks pictures"),
    ],
)
def test_one_message(arguments, message, folder, monkeypatch):
    import re

    monkeypatch.chdir(folder)
    (folder / "empty").mkdir()
    words = [word for a in arguments for word in (detector_options() if a == "OPTIONS" else [a])]
    text = run(*("small.tflite" if word == "MODEL" else word for word in words), code=2)
    assert re.search(message, text) and "Traceback" not in text
    assert not list(folder.glob("out.*"))


@pytest.mark.shared
@pytest.mark.slow
def test_people_are_found_as_litert_finds_them(shared):
    model = shared / "models" / "ssdlite_mnv2_ped_int8.tflite"
    answer = run("evaluate", model, "--boxes", shared / "images" / "coco32" / "persons.json", "--json")
    found = json.loads(answer)
    assert found["pictures"] == 32 and found["boxes"] == 94
    assert found["average_precision"]["person"] > 0.33
    if found["reference"] is not None:
        assert found["reference"] == found["average_precision"] and found["mismatches"] == 0
