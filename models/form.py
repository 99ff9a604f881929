"""Forms: numbers that are raised where an older Fairway could not read what a newer one writes (R66).

Whoever adds a field to authored parts writes `Annotated[…, Since(FORM)]`, having raised FORM once for the release
that it comes with, which RELEASES names.
"""

from typing import NamedTuple

from pydantic import BaseModel

FORM = 2
"""The highest form that this Fairway reads, and so may write."""

RELEASES = {1: "0.1", 2: "0.2"}
"""The release of Fairway that first knew each form."""


class Since(NamedTuple):
    """Stands in a field's annotation: a part that sets this field has at least this form."""

    form: int


def form_of(part: object) -> int:
    """Return the form that an authored part needs: the highest of the fields that it sets, or parts of it set."""
    if isinstance(part, tuple):
        return max(map(form_of, part), default=1)
    if not isinstance(part, BaseModel):
        return 1
    fields = type(part).model_fields
    own = (since.form for name in part.model_fields_set for since in fields[name].metadata if type(since) is Since)
    inner = (form_of(getattr(part, name)) for name in part.model_fields_set)
    return max([1, *own, *inner])


def tell_newer(what: str, needs: int, release: str | None) -> str:
    """Return a sentence that says what has a form which this Fairway can't read; `release` is its writer's word."""
    known = f"a newer Fairway (form {needs}; this one knows {FORM})"
    return f"{what} needs {f'Fairway {release} or later' if release else known}."
