"""The published schemas against what the commands really print."""

import json

import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from mbconv.cli import main
from mbconv.schemas import NAMES, schema

pytestmark = pytest.mark.filterwarnings("ignore:.*created but never used")
BLOCK = "block:pointwise,height=2,width=2,channels=2"


def printed(*arguments: object) -> dict:
    result = CliRunner().invoke(main, list(map(str, arguments)))
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "pictures" / "0_picture.png"
    path.parent.mkdir(parents=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_schema_is_one_and_the_command_prints_it(name):
    found = schema(name)
    jsonschema.Draft202012Validator.check_schema(found)
    assert printed("schema", name) == found


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("info", ["digits"]),
        ("predict", ["digits", "--image", "PICTURE"]),
        ("evaluate", ["digits", "--images", "PICTURES"]),
        ("golden", ["digits"]),
        ("plan", ["digits", "--multipliers", "16"]),
        ("manifest", ["digits", "--multipliers", "16", "-o", "FOLDER"]),
        ("emit-engine", ["--engine", "channels=4,pixels=1", "-o", "FOLDER"]),
        ("sim", [BLOCK]),
        ("plan-engine", ["digits", "--engine", "channels=8,pixels=2", "--clock", "24"]),
        ("sim-engine", [BLOCK, "--engine", "channels=8,pixels=2", "--frames", "2"]),
        ("compile", ["digits", "--engine", "channels=8,pixels=2", "-o", "FOLDER"]),
        ("verify", [BLOCK, "--results", "RESULTS"]),
        ("bench", ["--only", "digits", "--results", "RESULTS"]),
        ("demo", ["-o", "FOLDER"]),
        ("models", []),
        ("boards", []),
        ("doctor", []),
        ("cache", []),
    ],
)
def test_outputs_are_as_published(name, arguments, picture, tmp_path):
    places = {
        "PICTURE": picture,
        "PICTURES": picture.parent,
        "FOLDER": tmp_path / "folder",
        "RESULTS": tmp_path / "results.jsonl",
    }
    command = "emit" if name == "manifest" else name.removesuffix("-engine")
    found = printed(command, *(places.get(argument, argument) for argument in arguments), "--json")
    assert list(found)[:2] == ["schema", "version"]
    jsonschema.validate(found, schema(name), cls=jsonschema.Draft202012Validator)
    for entry in schema(name)["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in found.items() if k != entry}, schema(name))


def test_every_command_with_json_has_a_schema():
    commands = {name for name, command in main.commands.items() if any(p.name == "as_json" for p in command.params)}
    assert commands - {"emit"} == set(NAMES) - {
        "manifest",
        "sim-engine",
        "plan-engine",
        "build-engine",
        "emit-engine",
        "evaluate-boxes",
    }


@pytest.mark.slow
@pytest.mark.parametrize("options", [["--device", "LFE5U-25F", "--seeds", "1", "--frequency", "50"],
                                     ["--board", "icebreaker", "--clock", "12"]])  # fmt: skip
def test_what_build_prints_is_as_published(options, tmp_path):
    found = printed("build", BLOCK, "--multipliers", "1", *options, "-o", tmp_path / "folder", "--json")
    jsonschema.validate(found, schema("build"), cls=jsonschema.Draft202012Validator)
    assert found == json.loads((tmp_path / "folder" / "build.json").read_text()) | {
        key: found[key] for key in ("schema", "version")
    }
    for entry in schema("build")["required"]:
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({k: v for k, v in found.items() if k != entry}, schema("build"))
