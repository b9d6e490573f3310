"""``mbconv cache``: it shows and removes what simulations keep, and nothing else."""

import json

from click.testing import CliRunner

from mbconv.cli import main


def test_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("MBCONV_CACHE", str(tmp_path))
    ours = [tmp_path / "builds" / ("0" * 24), tmp_path / "builds" / f"{'f' * 24}.x1", tmp_path / "library" / ("a" * 24)]
    others = [tmp_path / "builds" / "mine", tmp_path / "photos"]
    for folder in (*ours, *others):
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(bytes(500))
    (tmp_path / "builds" / ("b" * 24)).symlink_to(tmp_path / "photos")
    found = json.loads(CliRunner().invoke(main, ["cache", "--json"]).stdout)
    assert (found["folder"], found["cleared"]) == (str(tmp_path), False)
    assert [(part["folders"], part["bytes"]) for part in found["parts"]] == [(2, 1000), (1, 500)]
    result = CliRunner().invoke(main, ["cache", "--clear"])
    assert result.exit_code == 0 and f"{tmp_path}, cleared of" in result.stdout and "1.0 kB" in result.stdout
    assert not any(folder.exists() for folder in ours) and all((folder / "file").exists() for folder in others)
    assert json.loads(CliRunner().invoke(main, ["cache", "--json"]).stdout)["parts"][0]["folders"] == 0
