"""Draw a variant by hash, so that anyone can recompute it (R22)."""

from hashlib import blake2b

from streams.engine.compiled import Split

_WHOLE = 2.0**64


def draw(split: Split, journey_id: str, customer_id: str) -> tuple[str, str | None]:
    """Return the name of the customer's variant and the step that it leads to."""
    digest = blake2b(f"{journey_id}:{split.id}:{customer_id}".encode(), digest_size=8).digest()
    *earlier, last = split.variants
    point = int.from_bytes(digest, "big") / _WHOLE * last[1]
    for name, up_to, onward in earlier:
        if point < up_to:
            return name, onward
    return last[0], last[2]
