"""Truncated and bit-flipped files end in a GraphError or in a valid graph, within a bound on memory and no hang.

The reader runs in a process of its own whose address space may grow by a few megabytes only; one that hangs is killed.
"""

import json
import subprocess
import sys
from pathlib import Path

import flatbuffers
import numpy as np
import pytest
import tflite

from mbconv.generators.graph.graph import GraphError
from mbconv.generators.readers.tflite_file import read_tflite
from mbconv.training.tflite_writer import TfliteWriter

SCRIPT = """
import json, random, resource, sys
from pathlib import Path
from mbconv.generators.graph.graph import GraphError
from mbconv.generators.graph.checks import check_graph
from mbconv.generators.readers.tflite_file import read_tflite

source, folder, seed, flips, step, extra = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
content = Path(source).read_bytes()
path = folder / "damaged.tflite"
read_tflite(source)
if sys.platform == "linux":
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    limit = pages * resource.getpagesize() + extra
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
outcomes = {"read": 0, "refused": 0, "wrong": []}

def attempt(damaged, what):
    path.write_bytes(damaged)
    try:
        check_graph(read_tflite(path))
        outcomes["read"] += 1
    except GraphError as error:
        outcomes["refused"] += 1
        if not str(error).startswith(str(path)) or len(str(error)) > 100_000:
            outcomes["wrong"].append(f"{what}: {str(error)[:200]}")
    except BaseException as error:
        outcomes["wrong"].append(f"{what}: {type(error).__name__}: {error}")

for length in range(0, len(content), step):
    attempt(content[:length], f"first {length} bytes")
words = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0x01000000]
for number in range(flips):
    random.seed(f"{seed} {number}")
    damaged = bytearray(content)
    for _ in range(random.choice([1, 1, 1, 2, 8])):
        place = random.randrange(len(damaged) - 3)
        if random.random() < 0.6:
            damaged[place] ^= 1 << random.randrange(8)
        else:
            word = random.choice([*words, random.randrange(2 * len(content))])
            damaged[place & ~3 : (place & ~3) + 4] = word.to_bytes(4, "little")
    attempt(damaged, f"seed {seed}, damage {number}")
print(json.dumps(outcomes))
"""


def attack(source: Path, folder: Path, seed: int, flips: int, step: int, extra: int) -> dict:
    arguments = [str(source), str(folder), *map(str, (seed, flips, step, extra))]
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, *arguments], capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, f"seed {seed}: {result.stderr[-2000:]}"
    return json.loads(result.stdout)


def small_network() -> TfliteWriter:
    rng = np.random.default_rng(0)
    w = TfliteWriter("small")
    x = w.input("picture", (1, 3, 6, 6), 0.03, -5)
    x = w.pad(w.transpose(x, (0, 2, 3, 1)), top=1)
    x = w.constant_arithmetic("MUL", x, rng.integers(-9, 9, 3), 0.1, 1, 0.03, 2)
    y = w.convolution(x, rng.integers(-127, 128, (6, 1, 1, 3)), np.full(6, 0.01), rng.integers(-9, 9, 6), 0.02, -128)
    y = w.depthwise(y, rng.integers(-127, 128, (3, 3, 6)), np.full(6, 0.01), rng.integers(-9, 9, 6), 0.02, -128)
    y = w.convolution(y, rng.integers(-127, 128, (3, 1, 1, 6)), np.full(3, 0.01), rng.integers(-9, 9, 3), 0.05, 3)
    x = w.average_pool(w.add(x, y, 0.06, 1), (2, 2))
    x = w.reshape(w.mean(x), (1, 3))
    x = w.fully_connected(x, rng.integers(-9, 9, (4, 3)), 0.01, rng.integers(-9, 9, 4), 0.1, 0)
    w.output(w.dequantize(w.softmax(x)))
    return w


@pytest.mark.parametrize("seed", [1, 2])
def test_small_file(tmp_path, seed):
    source = tmp_path / "small.tflite"
    small_network().write(source)
    size = source.stat().st_size
    outcomes = attack(source, tmp_path, seed, flips=900, step=13, extra=8 << 20)
    assert not outcomes["wrong"], "\n".join(outcomes["wrong"][:10])
    # Bits of weights, names and scales may change unnoticed; what is cut off is always noticed.
    assert outcomes["refused"] >= size // 13 + 300, f"seed {seed}"
    assert outcomes["read"] >= 50, f"seed {seed}"


@pytest.mark.shared
@pytest.mark.parametrize("name", ["vww_96_int8", "mobilenet_v1_0.25_128_quant"])
def test_real_file(shared, tmp_path, name):
    source = shared / "models" / f"{name}.tflite"
    outcomes = attack(source, tmp_path, 3, flips=40, step=source.stat().st_size // 20, extra=64 << 20)
    assert not outcomes["wrong"], "\n".join(outcomes["wrong"][:10])
    assert outcomes["refused"] >= 20


def test_a_table_named_again_and_again_is_stopped(tmp_path):
    """50,000 tensors that are all one table with a long name: little in the file, much in memory and time."""
    b = flatbuffers.Builder(1024)
    name = b.CreateString("n" * 10_000)
    tflite.TensorStart(b)
    tflite.TensorAddName(b, name)
    tensor = tflite.TensorEnd(b)
    copies = 50_000
    b.StartVector(4, copies, 4)
    for _ in range(copies):
        b.PrependUOffsetTRelative(tensor)
    tensors = b.EndVector()
    tflite.SubGraphStart(b)
    tflite.SubGraphAddTensors(b, tensors)
    subgraph = tflite.SubGraphEnd(b)
    b.StartVector(4, 1, 4)
    b.PrependUOffsetTRelative(subgraph)
    subgraphs = b.EndVector()
    tflite.ModelStart(b)
    tflite.ModelAddVersion(b, 3)
    tflite.ModelAddSubgraphs(b, subgraphs)
    b.Finish(tflite.ModelEnd(b), file_identifier=b"TFL3")
    path = tmp_path / "repeated.tflite"
    path.write_bytes(b.Output())
    with pytest.raises(GraphError, match="is damaged: its tables repeat more than the file holds"):
        read_tflite(path)


def test_a_sparse_file_is_not_read_whole(tmp_path):
    path = tmp_path / "large.tflite"
    with open(path, "wb") as file:
        file.write(b"\0\0\0\0TFL3")
        file.truncate(3 << 30)
    with pytest.raises(GraphError, match="3221225472 bytes; a TFLite file has fewer than 2 GB"):
        read_tflite(path)
