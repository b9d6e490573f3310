"""mbconv demo: a real picture through the whole of a simulated network."""

import json
import subprocess
import sys

import pytest


def test_demo(tmp_path):
    pytest.importorskip("sklearn")
    command = [sys.executable, "-m", "mbconv", "demo", "-o", str(tmp_path / "out"), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["class"] == answer["digit"] == 7 and answer["picture"].startswith("handwritten")
    for part in ("block", "network"):
        assert answer[part]["mismatches"] == 0 and answer[part]["elements"] > 10_000
        assert answer[part]["interval_cycles"] == answer[part]["predicted_interval_cycles"]
        assert answer[part]["latency_cycles"] == answer[part]["predicted_latency_cycles"]
        assert (tmp_path / "out" / part / "manifest.json").exists()
    command = [
        sys.executable,
        "-m",
        "mbconv",
        "predict",
        "digits",
        "--image",
        str(tmp_path / "out" / "seven.png"),
        "--json",
    ]
    (output,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["outputs"]
    assert output["top"][0]["class"] == 7 and round(output["top"][0]["score"], 6) == round(answer["score"], 6)
