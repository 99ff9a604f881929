"""Every command with its arguments and options, from the command line itself."""

import re
from collections.abc import Iterator
from typing import Any

import typer

from streams.cli import app
from tests.reference.tables import code, table

_BLANKS = re.compile(r"\s*\n\s*").sub


def walk(command: Any = None, path: str = "fairway") -> Iterator[tuple[str, Any]]:
    """Yield every command with its full name."""
    command = command or typer.main.get_command(app)
    if not hasattr(command, "commands"):
        yield path, command
        return
    for name, sub in sorted(command.commands.items()):
        yield from walk(sub, f"{path} {name}")


def render() -> str:
    commands = sorted(walk())
    overview = table(
        ["command", "what it does"], [[f"[`{name}`](#{anchor(name)})", _first(one)] for name, one in commands]
    )
    return "\n\n".join([overview, *(_describe(name, one) for name, one in commands)])


def anchor(name: str) -> str:
    return name.replace(" ", "-")


def _first(command: Any) -> str:
    return _BLANKS(" ", command.help.split("\n\n")[0]).strip()


def _describe(name: str, command: Any) -> str:
    usage = " ".join([name, *(_name(one) for one in command.params if one.param_type_name == "argument")])
    paragraphs = [_BLANKS(" ", part).strip() for part in command.help.split("\n\n")]
    rows = [_row(one) for one in command.params if one.name != "help"]
    options = [table(["option", "default", "meaning"], rows)] if rows else []
    return "\n\n".join([f"### {name}", f"`{usage}`", *paragraphs, *options])


def _name(one: Any) -> str:
    """Return a parameter as it is written, with what it takes."""
    metavar = one.metavar or one.name.upper().replace("_", "-")
    if one.param_type_name == "argument":
        metavar = metavar.rstrip(".…") + ("…" if one.nargs == -1 else "")
        return metavar if one.required or metavar.startswith("[") else f"[{metavar}]"
    names = ", ".join([*one.opts, *one.secondary_opts])
    return names if one.is_flag else f"{names} {metavar}"


def _row(one: Any) -> list[str]:
    is_nothing = one.default is None or one.default is False or one.default in ("", []) or callable(one.default)
    default = "required" if one.required else "" if is_nothing else code(one.default)
    return [code(_name(one)), default, one.help or ""]
