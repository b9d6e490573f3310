"""The trainer of CIFAR-10's networks, whole, with few pictures and a small network."""

import io
from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("ai_edge_litert", reason="measures with LiteRT: pip install 'mbconv[oracle]'")
pytestmark = pytest.mark.slow  # make slow installs what training needs

from PIL import Image  # noqa: E402

from mbconv.generators.readers.tflite_file import read_tflite  # noqa: E402
from mbconv.training import cifar10_data, train_cifar10  # noqa: E402
from mbconv.training.cifar10_networks import V3  # noqa: E402
from mbconv.training.cycle import Cycle  # noqa: E402
from mbconv.training.mobilenet import Block  # noqa: E402

BLOCKS = (Block(4, 4, 2, activation="RELU"), Block(8, 4, 1, kernel=5, activation="HARD_SWISH", squeezed=2))
CYCLE = Cycle(epochs=2, peak=0.05, decay=0.0, crops=((0.0, 24), (0.5, 32)), warm_up=0.5)
SMALL = replace(V3, topology=replace(V3.topology, stem=4, blocks=BLOCKS, head=0), cycles=(CYCLE, CYCLE))


@pytest.fixture
def data(tmp_path):
    """130 pictures to train with, 20 to validate and 20 to test, of one colour that tells their class."""
    rng = np.random.default_rng(11)
    arrays = {}
    for part, count in (("train", 150), ("test", 20)):
        labels = np.arange(count) % 10
        files = []
        for label in labels:
            picture = np.full((32, 32, 3), (25 * label, 255 - 25 * label, 128)) + rng.integers(-20, 20, (32, 32, 3))
            file = io.BytesIO()
            Image.fromarray(picture.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=95)
            files.append(file.getvalue())
        arrays[f"{part}_bytes"] = np.frombuffer(b"".join(files), np.uint8)
        arrays[f"{part}_offsets"] = np.cumsum([0, *map(len, files)])
        arrays[f"{part}_labels"] = labels
    np.savez(tmp_path / "data.npz", **arrays)
    return tmp_path / "data.npz"


@pytest.fixture
def train(data, monkeypatch, capsys):
    monkeypatch.setattr(cifar10_data, "VALIDATION", 20)
    monkeypatch.setattr(train_cifar10, "NETWORKS", {"cifar10_v3": SMALL, "other": replace(SMALL, name="other")})
    threads = torch.get_num_threads()

    def run(folder, *arguments, network="cifar10_v3"):
        command = ["train", "--network", network, "--data", data, "--folder", data.parent / folder, *arguments]
        monkeypatch.setattr("sys.argv", [str(part) for part in command])
        train_cifar10.main()
        return capsys.readouterr().out

    run.folder = data.parent
    yield run
    # Both are the process's, and other tests have their own.
    torch.set_num_threads(threads)
    torch.set_flush_denormal(False)


def test_a_training_goes_on(train, capsys):
    printed = train("one", "--cycles", 1)
    path = train.folder / "one" / "cycle1.tflite"
    graph = read_tflite(path)
    assert [op.kind for op in graph].count("HARD_SWISH") == 3
    assert f"cycle1.tflite: {path.stat().st_size:,} bytes; int8 by LiteRT's reference kernels" in printed
    rows = (train.folder / "one" / "curve.csv").read_text().splitlines()
    assert [row.split(",")[1:4] for row in rows[1:]] == [
        ["float", "1", "24"], ["float", "2", "32"], ["int8", "1", "32"], ["int8", "2", "32"],
    ]  # fmt: skip
    assert "resumed: cycle 2, 0 epochs" in train("one")
    assert (train.folder / "one" / "cycle2.tflite").exists()
    assert "as a float network, validation" in train("two", "--start", path, "--quantised-epochs", 0)
    assert not (train.folder / "two" / "cycle1.tflite").exists()  # the second cycle began from it
    assert read_tflite(train.folder / "two" / "cycle2.tflite").total_macs == graph.total_macs
    with pytest.raises(SystemExit) as end:
        train("one", network="other")
    assert end.value.code == 2
    assert f"{train.folder / 'one'} holds a training of cifar10_v3, not of other" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(("--cycles", 3), "--cycles is 1 to 2, not 3"), (("--quantised-epochs", -1), "is at least 0, not -1")],
)
def test_numbers_that_there_are_not(arguments, message, train, capsys):
    with pytest.raises(SystemExit) as end:
        train("none", *arguments)
    assert end.value.code == 2 and message in capsys.readouterr().err
    assert not (train.folder / "none").exists()
