"""The command line as a whole: help, version, errors for people, exit codes."""

from __future__ import annotations

import io
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import typer
import typer.main

from retail_datagen.cli import app as cli
from retail_datagen.config.errors import UserError


def run(*arguments: str, out: str | None = None) -> subprocess.CompletedProcess[str]:
    code = "from retail_datagen.cli.app import main; main()"
    environment = {"PYTHONPATH": ":".join(p for p in sys.path if p), "COLUMNS": "200"}
    with open(out, "w") if out else nullcontext(subprocess.PIPE) as stdout:
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            check=False,
        )


def test_help_names_every_command_and_imports_none() -> None:
    result = run("--help")
    assert result.returncode == 0
    for command in cli.COMMANDS:
        assert f"  {command.name} " in result.stdout
    modules = "import sys; print(*sys.modules)"
    code = f"from retail_datagen.cli.app import build_app; build_app(''); {modules}"
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": ":".join(p for p in sys.path if p)},
        check=True,
    ).stdout.split()
    assert not {"pyarrow", "numpy", "pydantic", "holidays", "duckdb"} & set(loaded)


def test_help_tells_what_each_command_itself_tells() -> None:
    whole = typer.main.get_command(cli.build_app())
    commands = whole.commands  # type: ignore[attr-defined]
    assert set(commands) == {command.name for command in cli.COMMANDS}
    for command in cli.COMMANDS:
        first = (commands[command.name].help or "").split("\n\n")[0].replace("\n", " ")
        assert command.help == first


@pytest.mark.parametrize("command", cli.COMMANDS, ids=lambda c: c.name)
def test_the_command_called_is_the_real_one(command: cli.Command) -> None:
    whole = typer.main.get_command(cli.build_app(command.name))
    found = whole.commands[command.name]  # type: ignore[attr-defined]
    real = getattr(found, "commands", None) or found.params
    assert real, f"{command.name} has neither options nor commands of its own"


def test_the_version_is_printed() -> None:
    result = run("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("retail-datagen ")


def fails(app: typer.Typer, error: BaseException) -> None:
    def boom() -> None:
        raise error

    app.command("boom")(boom)


def exit_code(monkeypatch: pytest.MonkeyPatch, error: BaseException, *before: str) -> object:
    app = cli.build_app("")
    fails(app, error)
    monkeypatch.setattr(cli, "build_app", lambda called: app)
    with pytest.raises(SystemExit) as left:
        cli.main([*before, "boom"])
    return left.value.code


def test_user_errors_have_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(monkeypatch, UserError("seed: 'x' is not a number")) == 2
    assert capsys.readouterr().err == "error: seed: 'x' is not a number\n"


def test_debug_shows_where_user_errors_come_from(monkeypatch: pytest.MonkeyPatch) -> None:
    app = cli.build_app("")
    fails(app, UserError("wrong"))
    monkeypatch.setattr(cli, "build_app", lambda called: app)
    with pytest.raises(UserError, match="wrong"):
        cli.main(["--debug", "boom"])


def test_our_own_mistakes_are_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    app = cli.build_app("")
    fails(app, ZeroDivisionError("ours"))
    monkeypatch.setattr(cli, "build_app", lambda called: app)
    with pytest.raises(ZeroDivisionError, match="ours"):
        cli.main(["boom"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("generat",), "error: No such command 'generat'"),
        (("verify", "--frist", "1"), "error: No such option: --frist"),
        (("verify", "--first", "x"), "error: Invalid value for '--first': "),
    ],
)
def test_wrong_arguments_are_told_as_other_errors_are(
    arguments: tuple[str, ...], message: str
) -> None:
    result = run(*arguments)
    assert result.returncode == 2
    lines = result.stderr.splitlines()
    assert lines[0].startswith("Usage: retail-datagen ")
    assert lines[-1].startswith(message)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
@pytest.mark.parametrize(
    "arguments", [("--help",), ("config", "show"), ("config", "show", "--json"), ("--version",)]
)
def test_an_output_that_cannot_be_written_is_told(arguments: tuple[str, ...]) -> None:
    result = run(*arguments, out="/dev/full")
    assert result.stderr == "error: the output cannot be written: No space left on device\n"
    assert result.returncode == 2


def test_ctrl_c_before_a_command_has_begun_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(called: str | None) -> typer.Typer:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "build_app", interrupted)
    with pytest.raises(SystemExit) as left:
        cli.main(["generate"])
    assert left.value.code == 130
    assert capsys.readouterr().err == "stopped before anything was written\n"


@pytest.mark.parametrize(("no_color", "codes"), [("", True), ("1", False)])
def test_errors_are_red_on_a_terminal_that_may_have_colours(
    monkeypatch: pytest.MonkeyPatch, no_color: str, codes: bool
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    assert exit_code(monkeypatch, UserError("wrong")) == 2
    assert ("\x1b[" in terminal.getvalue()) is codes
