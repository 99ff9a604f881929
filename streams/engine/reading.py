"""Read the text of a journey file, YAML or JSON, as plain data.

YAML as in version 1.2's core schema, so that what looks like text stays text: `NO`, `10:30` and 2026-11-23 are
no boolean, no number and no date. A name that stands twice in one mapping is refused, not overwritten.
"""

import json
import re
from codecs import BOM_UTF8
from typing import Any

import yaml

from streams.errors import FairwayError

_LARGEST = 1 << 20  # characters
_DIGITS = 400  # of a number; Python reads 4,300, and writes none that is longer
_DEEPEST = 100  # levels, so that whoever goes through it, the lines of a file too, may do so by recursion

_TOO_DEEP = FairwayError("The file is nested too deeply.")


def read_journeys(text: str) -> list[Any]:
    """Return the journeys of a file: one, a list of them, or several YAML documents; raises FairwayError."""
    if len(text) > _LARGEST:
        raise FairwayError(f"The file has {len(text)} characters; {_LARGEST} are allowed.")
    try:
        documents = _read_json(text) if text.lstrip()[:1] in ("{", "[") else _read_yaml(text)
    except RecursionError:
        raise _TOO_DEEP from None
    if _is_too_deep(documents):
        raise _TOO_DEEP
    found: list[Any] = []
    for document in documents:
        found += document if isinstance(document, list) else [] if document is None else [document]
    if not found:
        raise FairwayError("The file holds no journey.")
    return found


def split_lines(raw: bytes) -> list[bytes]:
    """Return the lines of a file of JSON lines, without the mark that some editors put before the first."""
    return raw.removeprefix(BOM_UTF8).split(b"\n")  # not splitlines: a text in JSON may hold other line ends


def _is_too_deep(documents: list[Any]) -> bool:
    """Say whether lists and mappings nest too deeply, or go round; those that stand twice are entered once."""
    level: list[Any] = [documents]
    for _ in range(_DEEPEST):
        parts = (part for whole in level for part in (whole.values() if isinstance(whole, dict) else whole))
        level = list({id(part): part for part in parts if isinstance(part, dict | list)}.values())
        if not level:
            return False
    return True


def _read_json(text: str) -> list[Any]:
    try:
        return [json.loads(text, object_pairs_hook=_pair_once, parse_int=_read_int)]
    except json.JSONDecodeError as error:
        fault = f"The file is not JSON: line {error.lineno}, {error.msg}."
    try:
        return _read_yaml(text)  # whose flow style begins alike
    except FairwayError:
        raise FairwayError(fault) from None


def _pair_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise FairwayError(f"'{name}' stands twice in one mapping; keep one.")
        found[name] = value
    return found


def _read_yaml(text: str) -> list[Any]:
    try:
        return list(yaml.load_all(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        line = f"line {error.problem_mark.line + 1}, " if error.problem_mark else ""
        raise FairwayError(f"The file is not YAML: {line}{error.problem}.") from None
    except (yaml.YAMLError, ValueError) as error:
        raise FairwayError(f"The file is not YAML: {str(error).splitlines()[0]}.") from None


def _read_int(text: str) -> int:
    if len(text) > _DIGITS:
        raise FairwayError(f"The number {text[:20]}… has {len(text)} digits; put quotes around it.")
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own way)
    yaml_constructors = {  # noqa: RUF012
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag.rpartition(":")[2] in ("null", "float", "str", "seq", "map")
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a name that stands twice; know no merges (`<<`), which version 1.2 has not either."""
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                line = key.start_mark.line + 1
                raise FairwayError(f"'{key.value}' stands twice in one mapping, line {line}; keep one.")
            seen.add(key.value)
        return yaml.constructor.BaseConstructor.construct_mapping(self, node, deep)


def _construct_int(_: _Loader, node: yaml.Node) -> int:
    return _read_int(str(node.value))


def _construct_bool(_: _Loader, node: yaml.Node) -> bool:
    text = str(node.value).lower()
    if text not in ("true", "false"):
        raise ValueError(f"'{text}' is neither true nor false")
    return text == "true"


_FLOAT = r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    ("float", _FLOAT, list("-+.0123456789")),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"(?:{_pattern})$"), _first)
_Loader.add_constructor("tag:yaml.org,2002:int", _construct_int)
_Loader.add_constructor("tag:yaml.org,2002:bool", _construct_bool)
