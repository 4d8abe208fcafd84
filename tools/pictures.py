"""The pictures in docs/img, drawn from the output of `make demo`.

python tools/pictures.py data/demo/facts
"""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

sys.path.insert(0, str(Path(__file__).parent.parent / "examples"))

from look_around import receipts_by_day, receipts_by_hour

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "img"
_COLUMNS = 112
_FONT = "font-family='ui-monospace, Menlo, Consolas, monospace'"
_INK, _FAINT, _BAR, _WEEKEND = "#1f2933", "#7b8794", "#3e7cb1", "#e08e45"
# Rich's own template fetches a font from elsewhere; a picture should be whole.
_TERMINAL = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, Menlo, Consolas, monospace;
  font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ display: none; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" />
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def terminal(commands: list[str]) -> str:
    """What a terminal shows of these commands, as SVG."""
    console = Console(record=True, width=_COLUMNS, file=StringIO(), force_terminal=True)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path, "FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)}
    for command in commands:
        console.print(Text(f"$ {command}", style="bold green"))
        done = subprocess.run(
            command, shell=True, cwd=ROOT, env=environment, capture_output=True, text=True
        )
        console.print(Text.from_ansi(done.stdout.rstrip("\n")))
        console.print()
    return console.export_svg(title="", code_format=_TERMINAL, unique_id="terminal")


def bars(
    title: str, values: list[tuple[str, float]], *, tinted: set[str], every: int, height: int = 190
) -> str:
    """A bar for each value, on a card of its own, so that it reads on any background."""
    width, left, top, bottom = 760, 24, 44, 26
    step = (width - 2 * left) / len(values)
    scale = (height - top - bottom) / max(value for _, value in values)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' {_FONT}>",
        f"<rect width='{width}' height='{height}' rx='8' fill='#ffffff' stroke='#d9e2ec'/>",
        f"<text x='{left}' y='27' font-size='15' fill='{_INK}'>{title}</text>",
    ]
    for place, (name, value) in enumerate(values):
        tall = value * scale
        x, y = left + place * step, height - bottom - tall
        color = _WEEKEND if name.split(" ")[0] in tinted else _BAR
        parts.append(
            f"<rect x='{x:.1f}' y='{y:.1f}' width='{step * 0.8:.1f}' height='{tall:.1f}' "
            f"fill='{color}'><title>{name}: {value:,.0f}</title></rect>"
        )
        if place % every == 0:
            parts.append(
                f"<text x='{x:.1f}' y='{height - 9}' font-size='11' fill='{_FAINT}'>{name}</text>"
            )
    return "\n".join([*parts, "</svg>", ""])


def main() -> None:
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "receipts").is_dir():
        sys.exit("usage: python tools/pictures.py FOLDER, the facts that `make demo` made")
    facts = Path(sys.argv[1])
    days, hours = receipts_by_day(facts), receipts_by_hour(facts)
    pictures = {
        "days.svg": bars("Receipts a day", days, tinted={"Sat", "Sun"}, every=7),
        "hours.svg": bars("Receipts by hour, on a mean day", hours, tinted=set(), every=1),
        "demo.svg": terminal(
            [
                f"retail-datagen verify --quiet {facts}",
                f"python examples/look_around.py {facts} | head -15",
            ]
        ),
    }
    FOLDER.mkdir(exist_ok=True)
    for name, picture in pictures.items():
        (FOLDER / name).write_text(picture, encoding="utf-8")
        print(f"wrote docs/img/{name}")


if __name__ == "__main__":
    main()
