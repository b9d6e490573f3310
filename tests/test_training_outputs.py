"""A training replaces no file unasked, and says so before it begins."""

import argparse

import pytest

from mbconv.training.outputs import add_force, check_outputs


def run(paths, *arguments):
    parser = argparse.ArgumentParser(prog="train")
    add_force(parser)
    check_outputs(parser, paths, parser.parse_args(arguments).force)


def test_files_that_are_there(tmp_path, capsys):
    model, curve = tmp_path / "model.tflite", tmp_path / "curve.csv"
    run([model, curve])
    assert not list(tmp_path.iterdir())
    model.write_text("mine")
    with pytest.raises(SystemExit) as end:
        run([model, curve])
    errors = capsys.readouterr().err
    assert end.value.code == 2 and f"{model}: there already; give another name, or --force" in errors
    assert model.read_text() == "mine"
    run([model, curve], "--force")


def test_a_folder_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        run([tmp_path / "none" / "model.tflite"], "--force")
    assert end.value.code == 2 and "No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["train_digits", "train_cifar10"])
def test_trainers_ask_first(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip("torch", reason="trains: pip install 'mbconv[training]'")
    trainer = pytest.importorskip(f"mbconv.training.{name}")
    existing = {"train_digits": "digits.tflite", "train_cifar10": "cycle1.tflite"}[name]
    (tmp_path / existing).write_text("mine")
    given = {
        "train_digits": ["--output", str(tmp_path / existing)],
        "train_cifar10": ["--data", "none.npz", "--folder", str(tmp_path)],
    }[name]
    monkeypatch.setattr("sys.argv", [name, *given])
    with pytest.raises(SystemExit) as end:
        trainer.main()
    assert end.value.code == 2 and "there already" in capsys.readouterr().err
    assert (tmp_path / existing).read_text() == "mine"
