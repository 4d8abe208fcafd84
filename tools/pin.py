"""Pinned dependencies: `constraints.txt` holds names, versions and sha256 hashes, nothing else.

    python tools/pin.py resolve          write constraints.txt anew, from pyproject.toml
    python tools/pin.py select core dev  print the requirements of these groups, for pip

The file is divided into groups: `core` is what the package needs, `build` what installing it from
source needs, the others the extras of their names. Hashes are those of the wheels that pip itself
chooses for each platform and Python below, so one file serves them all, and a package that was
changed after it was pinned is refused. Runs on nothing but Python and pip.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).parent.parent
FILE = ROOT / "constraints.txt"
GROUPS = (
    "core",
    "build",
    "cloud",
    "delta",
    "iceberg",
    "kafka",
    "clickhouse",
    "postgres",
    "metrics",
    "store",
    "dev",
    "bench",
)
PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_X86_LINUX = ("manylinux2014_x86_64", "manylinux_2_27_x86_64", "manylinux_2_28_x86_64")
_ARM_LINUX = (
    "manylinux2014_aarch64",
    "manylinux_2_24_aarch64",
    "manylinux_2_27_aarch64",
    "manylinux_2_28_aarch64",
)
PLATFORMS = {
    "Linux x86-64": _X86_LINUX,
    "Linux ARM": _ARM_LINUX,
    "macOS ARM": tuple(f"macosx_{v}_arm64" for v in ("11_0", "12_0", "13_0", "14_0")),
    "macOS x86-64": tuple(f"macosx_{v}_x86_64" for v in ("10_13", "11_0", "12_0", "13_0", "14_0")),
}
# The last with wheels for all of these platforms: later ones leave out macOS x86-64.
HELD_BACK = ("cryptography<49",)
# What Python itself has from a version on: those who need it ask for it below that one only.
ONLY_BEFORE = {"backports-zstd": "3.14"}
_HEAD = """\
# Names, versions and hashes of everything that this project installs, by group.
# Written by `python tools/pin.py resolve`; `tools/pin.py select GROUP …` gives a group to pip.
"""


def declared() -> dict[str, list[str]]:
    """The requirements of each group as pyproject.toml states them."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    return {
        "core": project["project"]["dependencies"],
        "build": project["build-system"]["requires"],
        **{group: extras[group] for group in GROUPS if group in extras},
    }


def report(arguments: Iterable[str]) -> dict[str, tuple[str, str]]:
    """What pip would install: (version, sha256 of the wheel) by normalised name."""
    command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed"]
    command += ["--quiet", "--only-binary=:all:", "--report", "-", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"pip failed: {' '.join(command)}")
    found = {}
    for item in json.loads(done.stdout)["install"]:
        name = re.sub(r"[-_.]+", "-", item["metadata"]["name"]).lower()
        sha256 = item["download_info"]["archive_info"]["hashes"]["sha256"]
        found[name] = (item["metadata"]["version"], sha256)
    return found


def resolve() -> str:
    """The text of constraints.txt, with the newest versions that go together."""
    wanted = declared()
    with tempfile.TemporaryDirectory() as folder:
        held = Path(folder, "held.txt")
        held.write_text("".join(f"{line}\n" for line in HELD_BACK))
        everything = report(
            ["--constraint", str(held), *(line for lines in wanted.values() for line in lines)]
        )
        pins = Path(folder, "pins.txt")
        pins.write_text("".join(f"{n}=={v}\n" for n, (v, _) in everything.items()))
        group_of: dict[str, str] = {}
        for group, lines in wanted.items():
            for name in report(["--constraint", str(pins), *lines]):
                group_of.setdefault(name, group)
        hashes: dict[str, set[str]] = {name: {sha} for name, (_, sha) in everything.items()}
        for title, tags in PLATFORMS.items():
            for python in PYTHONS:
                print(f"{title}, Python {python}", file=sys.stderr)
                where = ["--python-version", python, "--implementation", "cp"]
                where += [option for tag in tags for option in ("--platform", tag)]
                fits = [n for n in everything if _is_before(python, ONLY_BEFORE.get(n))]
                where += ["--target", folder, "--no-deps"]
                where += [f"{n}=={everything[n][0]}" for n in fits]
                for name, (_, sha) in report(where).items():
                    hashes[name].add(sha)
    text = _HEAD
    for group in wanted:
        text += f"\n# {group}\n"
        for name in sorted(n for n, g in group_of.items() if g == group):
            lines = [f"{name}=={everything[name][0]}{marker(name)}"]
            lines += [f"    --hash=sha256:{sha}" for sha in sorted(hashes[name])]
            text += " \\\n".join(lines) + "\n"
    return text


def marker(name: str) -> str:
    """What stands behind a pin that not every Python needs."""
    return f' ; python_version < "{ONLY_BEFORE[name]}"' if name in ONLY_BEFORE else ""


def _is_before(python: str, end: str | None) -> bool:
    def parts(version: str) -> list[int]:
        return [int(part) for part in version.split(".")]

    return end is None or parts(python) < parts(end)


def select(groups: Iterable[str]) -> str:
    """The requirements of these groups in constraints.txt. Raises SystemExit for an unknown one."""
    sections = re.split(r"^# (\w+)\n", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    found = dict(zip(sections[1::2], sections[2::2], strict=True))
    missing = sorted(set(groups) - set(found))
    if missing:
        raise SystemExit(f"{FILE.name} has no group {missing[0]}; it has {', '.join(found)}")
    return "".join(found[group] for group in groups)


def main() -> None:
    parser = argparse.ArgumentParser(description="Pinned dependencies.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("resolve", help="write constraints.txt anew")
    chosen = commands.add_parser("select", help="print the requirements of groups")
    chosen.add_argument("groups", nargs="+", metavar="GROUP")
    arguments = parser.parse_args()
    if arguments.command == "select":
        print(select(arguments.groups), end="")
    else:
        FILE.write_text(resolve(), encoding="utf-8")


if __name__ == "__main__":
    main()
