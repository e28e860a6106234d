#!/usr/bin/env python3
"""Compares wasmlark with other ways to script WebAssembly, in one run and in turns.

usage: compare.py [--rounds N]

Each peer does the same with the same module: a call from the script, a call from the module into the
script, a read of memory, and a loop that stays in the module. It prints nanoseconds of processor time for
each, and the ratio to wasmlark: below 1 is faster than wasmlark.

wasm3 is an interpreter, like wasmlark. wasmtime and node compile to machine code, which wasmlark does not,
so only their calls can be compared. wasm3 and wasmtime are driven by Python, node by JavaScript: part of
what is measured is the language.

It builds wasmlark and makes a virtual environment with the peers in target/peers; wasm3 needs a C compiler.
A peer that cannot be installed is named and left out.
"""

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import venv

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR") or ROOT / "target")
FOLDER = TARGET / "peers"
PACKAGES = ["pywasm3==0.5.0", "wasmtime==50.0.1"]

# The work, and the maximum number of times that one process does it, since a script keeps what it reads.
WORK = {
    "call (i32,i32)->i32": ("call", 1 << 26),
    "host call (i32)->i32": ("host", 1 << 26),
    "read 64 B": ("read64", 1 << 21),
    "read 64 KiB": ("read64k", 7_000),
    "loop, an iteration": ("loop", 1 << 30),
}

# The seconds that a process should run besides starting.
ENOUGH = 0.2


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=7)
    rounds = arguments.parse_args().rounds
    FOLDER.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cargo", "build", "--release", "--quiet", "--bin", "wasmlark"], cwd=ROOT, check=True)
    python = environment()
    module = FOLDER / "peers.wasm"
    make_module(module)
    peers = {"wasmlark": [wasmlark(), "run", FOLDER / "peer.star"]}
    peers["wasm3 (Python)"] = [python, HERE / "peer.py", "wasm3", module]
    peers["wasmtime (Python)"] = [python, HERE / "peer.py", "wasmtime", module]
    if shutil.which("node"):
        peers["node"] = [shutil.which("node"), HERE / "peer.mjs", module]
    peers = {name: command for name, command in peers.items() if works(name, command)}
    table = {name: {} for name in peers}
    for title, (work, most) in WORK.items():
        times = {name: enough(command, work, most) for name, command in peers.items()}
        # In turns. Each peer does the work `times` and twice as many times, so that its start cancels out. The shortest
        # run counts: a disturbance makes a run longer, never shorter.
        shortest = {}
        for _ in range(rounds):
            for name, command in peers.items():
                for factor in (1, 2):
                    took = run(command, work, times[name] * factor)
                    shortest[name, factor] = min(took, shortest.get((name, factor), took))
        for name in peers:
            table[name][title] = (shortest[name, 2] - shortest[name, 1]) / times[name] * 1e9
    show(table)


def environment():
    """Returns a Python with the peers that can be installed."""
    folder = FOLDER / "venv"
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    for package in PACKAGES:
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", package], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"{package} cannot be installed: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
    return python


def make_module(path):
    """Writes the module in the binary format, translated by wasmlark itself."""
    for name in ("peers.wat", "peer.star"):
        shutil.copy(HERE / name, FOLDER)
    # A script can read a file in the text format only as a module, so the text goes into the script.
    script = FOLDER / "translate.star"
    script.write_text(f"binary = wasm.wat({json.dumps((HERE / 'peers.wat').read_text())})\n" + TRANSLATE)
    done = subprocess.run([wasmlark(), "run", script], capture_output=True, text=True, check=True)
    path.write_bytes(bytes.fromhex(done.stdout))


TRANSLATE = """
memory = wasm.Memory(1)
memory.write(0, binary)
print(memory.read_hex(0, len(binary)))
"""


def wasmlark():
    return TARGET / "release" / "wasmlark"


def works(name, command):
    done = subprocess.run([*command, "call", "1"], capture_output=True, text=True)
    if done.returncode != 0:
        why = (done.stderr.strip().splitlines() or ["no message"])[-1]
        print(f"{name} is left out: {why}", file=sys.stderr)
    return done.returncode == 0


def enough(command, work, most):
    """Returns how often the work must be done for its time to dominate the start of a process."""
    start = min(run(command, work, 1) for _ in range(3))
    times = 1000
    while times < most and run(command, work, times) - start < ENOUGH:
        times = min(times * 2, most)
    return times


def run(command, work, times):
    """Runs a peer and returns its processor time in seconds, which other processes do not affect."""
    child = os.posix_spawn(command[0], [*map(str, command), work, str(times)], os.environ)
    _, status, usage = os.wait4(child, 0)
    if status != 0:
        sys.exit(f"{command[0]} failed at {work} {times}")
    return usage.ru_utime + usage.ru_stime


def show(table):
    print(f"{'':24}" + "".join(f"{name:>24}" for name in table))
    for title in WORK:
        ours = table["wasmlark"][title]
        cells = (f"{row[title]:12.1f} ns {row[title] / ours:7.2f} ×" for row in table.values())
        print(f"{title:24}" + "".join(f"{cell:>24}" for cell in cells))


if __name__ == "__main__":
    main()
