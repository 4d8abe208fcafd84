"""What the pages tell people to do is done here: commands and snippets run, links lead somewhere.

A page's blocks run one after the other in a folder of their own. ```console blocks hold commands
after `$ `, what they `export` is set for the rest of the page; ```python blocks are scripts. An
HTML comment right above a block says more about it:

    <!-- file: NAME -->   the block is the content of that file
    <!-- exit: 2 -->      the last command ends with that code
    <!-- shows -->        every other line of the block stands in the commands' output
    <!-- not run: WHY --> the block is not run

Volumes are made small through the environment, which wins over files.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from programs import called

ROOT = Path(__file__).parents[2]
RUNNABLE = [
    ROOT / "README.md",
    ROOT / "docs" / "tutorial.md",
    *sorted((ROOT / "docs" / "guides").glob("*.md")),
]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
SMALL = {
    "RETAIL_VOLUME__STORES": "3",
    "RETAIL_VOLUME__DCS": "1",
    "RETAIL_VOLUME__CUSTOMERS_PER_DAY": "60",
    "RETAIL_VOLUME__ONLINE_ORDERS_PER_DAY": "8",
    "RETAIL_VOLUME__PRODUCTS": "150",
    "RETAIL_VOLUME__CUSTOMERS": "800",
    # Each day on which somebody signed up is a partition of the lake.
    "RETAIL_SIGNUPS__FIRST": "2019-12-15",
    "RETAIL_SIGNUPS__LAST": "2020-01-10",
}
EXPORT = re.compile(r"export (?P<name>\w+)=(?P<value>[^\s'\"$]+)")
PLAIN = re.compile(r"(?:retail-datagen|ecomlake)(?: +[\w./:=,@+-]+)*")
"""Our program with its arguments, of which the shell would make nothing else."""
PLACE = re.compile(r"(?<![\w.})\]])/(?:(?:home|root|Users)/|(?:tmp|work)\b)\S*")
TEXTS = {".py", ".md", ".yaml", ".toml", ".json", ".csv", ".sh"}
FENCE = re.compile(
    r"(?:^<!-- ?(?P<notes>[^>]*?) ?-->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Block:
    """A fenced block: what it is, what its comment says, and where it stands."""

    language: str
    text: str
    notes: dict[str, str]
    where: str

    @property
    def commands(self) -> list[str]:
        """Lines after `$ `, with those that they are continued on."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line[2:] for line in lines if line.startswith("$ ")]

    @property
    def shown(self) -> list[str]:
        """The other lines: what the commands print."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line for line in lines if line.strip() and not line.startswith("$ ")]


def blocks(page: Path) -> list[Block]:
    content = page.read_text(encoding="utf-8")
    found = []
    for match in FENCE.finditer(content):
        notes = {}
        for note in (match["notes"] or "").split(";"):
            key, _, value = note.partition(":")
            notes[key.strip()] = value.strip()
        line = content[: match.start("text")].count("\n") + 1
        found.append(Block(match["language"], match["text"], notes, f"{page.name}:{line}"))
    return found


def places_on_a_machine(file: Path) -> list[str]:
    """Folders from the root of somebody's machine; those within URLs and variables are none."""
    return PLACE.findall(file.read_text(encoding="utf-8"))


def run(block: Block, folder: Path, exported: dict[str, str]) -> None:
    """Do what the block says; what it exports is added to `exported`. Fails as a test does."""
    if "not run" in block.notes:
        assert block.notes["not run"], f"{block.where}: say why it is not run"
    elif "file" in block.notes:
        (folder / block.notes["file"]).write_text(block.text, encoding="utf-8")
    elif block.language == "console":
        assert block.commands, f"{block.where}: no line begins with `$ `"
        _console(block, folder, exported)
    elif block.language == "python":
        _run([sys.executable, "-c", block.text], folder, exported, block.where, 0)
    else:
        assert block.language in ("text", "yaml", "json", "csv", "sql"), block.where


def _console(block: Block, folder: Path, exported: dict[str, str]) -> None:
    expected = int(block.notes.get("exit", "0"))
    printed = ""
    for command in block.commands:
        if setting := EXPORT.fullmatch(command):
            exported[setting["name"]] = setting["value"]
            continue
        code = expected if command == block.commands[-1] else 0
        printed += _command(command, folder, exported, block.where, code)
    if "shows" in block.notes:
        words = " ".join(printed.split())
        for line in block.shown:
            assert " ".join(line.split()) in words, f"{block.where}: {line!r} is not in\n{printed}"


def _command(command: str, folder: Path, exported: dict[str, str], where: str, code: int) -> str:
    """What a command prints; where nothing but our program is called, this process does it."""
    if not PLAIN.fullmatch(command) or "chdb:" in command:  # One process has one embedded server.
        return _run(["bash", "-euo", "pipefail", "-c", command], folder, exported, where, code)
    program, *words = command.split()
    return _held(called(program, words, folder, _environment(exported)), command, where, code)


def _run(command: list[str], folder: Path, exported: dict[str, str], where: str, code: int) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=_environment(exported),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return _held(done, command[-1], where, code)


def _held(done: subprocess.CompletedProcess[str], command: str, where: str, code: int) -> str:
    said = done.stdout + done.stderr
    assert done.returncode == code, f"{where}: {command}\n{said}"
    return said


def _environment(exported: dict[str, str]) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    kept = {k: v for k, v in os.environ.items() if not k.startswith("RETAIL_")}
    return {**kept, **SMALL, **exported, "PATH": path, "COLUMNS": "200"}


@pytest.mark.parametrize("page", RUNNABLE, ids=lambda page: page.stem)
def test_everything_that_the_page_says_to_run_runs(page: Path, tmp_path: Path) -> None:
    for name in ("examples", "tools", "tests"):
        (tmp_path / name).symlink_to(ROOT / name)
    for script in ROOT.glob("*.py"):
        (tmp_path / script.name).symlink_to(script)
    found = blocks(page)
    assert any(block.language in ("console", "python") for block in found)
    exported: dict[str, str] = {}
    for block in found:
        run(block, tmp_path, exported)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    content = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", content):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name).resolve() if name else page
        assert file.exists(), f"{target} leads nowhere"
        if anchor:
            titles = re.findall(r"^#+ (.+)$", file.read_text(encoding="utf-8"), re.MULTILINE)
            known = [re.sub(r"[^\w\- ]", "", t).strip().lower().replace(" ", "-") for t in titles]
            assert anchor in known, f"{target}: no such heading; there are {known}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_page_names_a_place_on_a_machine(page: Path) -> None:
    assert places_on_a_machine(page) == []


@pytest.mark.parametrize("folder", ["src", "tests", "benchmarks", "tools", "examples"])
def test_no_code_names_a_place_on_a_machine(folder: str) -> None:
    files = [file for file in (ROOT / folder).rglob("*") if file.suffix in TEXTS]
    assert files
    assert {file: found for file in files if (found := places_on_a_machine(file))} == {}


@pytest.mark.parametrize("folder", ["home/somebody", "tmp", "tmp/x", "work", "work/main", "root/x"])
def test_a_place_on_a_machine_is_noticed(folder: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"in /{folder}, not in https://example.com/{folder}", encoding="utf-8")
    assert places_on_a_machine(page) == [f"/{folder},"]


def test_a_wrong_command_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("```console\n$ retail-datagen nonsense\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="nonsense"):
        run(blocks(page)[0], tmp_path, {})


def test_output_that_does_not_appear_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- shows -->\n```console\n$ echo one\ntwo\n```\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="'two' is not in"):
        run(blocks(page)[0], tmp_path, {})
