"""Draw a variant by hash, so that anyone can recompute it (R22)."""

from hashlib import blake2b

from streams.engine.compiled import Split

_WHOLE = 2.0**64
_blank = blake2b(digest_size=8)  # a copy of it takes half of the time of a new one


def draw(split: Split, journey_id: str, customer_id: str) -> tuple[str, str | None]:
    """Return the name of the customer's variant and the step that it leads to."""
    drawn = _blank.copy()
    drawn.update(f"{journey_id}:{split.id}:{customer_id}".encode())
    *earlier, (last, total, onward) = split.variants
    point = int.from_bytes(drawn.digest(), "big") / _WHOLE * total
    for name, up_to, leads_to in earlier:
        if point < up_to:
            return name, leads_to
    return last, onward
