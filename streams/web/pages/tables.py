"""Tables: customers' rows by partition, waits by due time, dead letters, topics."""

from datetime import timedelta
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from models.customer import decode
from streams.clock import now as read_clock
from streams.kafka.topics import ACTIVITY
from streams.web.access.masking import show, show_record
from streams.web.charts import charts
from streams.web.pages.formats import capped
from streams.web.pages.site import missing, site_of, visitor_of, with_query
from streams.web.queries import history, totals
from streams.web.queries.query import PAGE, Tenants
from streams.web.sources.broker import Letter, Part
from streams.web.sources.peers import is_passed_on
from streams.web.sources.worker import Store, open_store

_COUNTED = 5_000  # rows, above which a partition is not counted to its end
_INTERNAL = b":"
_SPANS = {
    "hour": (timedelta(minutes=1), 60, "minutes"),
    "day": (timedelta(minutes=30), 48, "half hours"),
    "week": (timedelta(hours=2), 84, "times two hours"),
}


# --- the customers table ----------------------------------------------------------------------------------------


async def show_table(request: Request) -> Response:
    """Browse the rows of a partition from a key prefix on; another worker's partition is shown by that worker."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    chosen = given.get("partition", "")
    partition = int(chosen) if chosen.isdecimal() and len(chosen) < 6 else min(site.table.tasks, default=0)
    prefix, after = given.get("prefix", ""), given.get("after", "")
    store = open_store(site.table, partition)
    start = after.encode() or _before(prefix.encode())
    trouble = ""
    if store is None:
        try:
            return await site.peers.ask_owner(request, partition)
        except HTTPException as error:
            trouble = error.detail
    rows = _scan(store, prefix.encode(), start, visitor.tenants) if store else []
    newest = site.samples.newest
    owners = {number: member for member in newest.members for number in member.partitions} if newest else {}
    last = rows[PAGE - 1]["key"] if len(rows) > PAGE else ""
    return site.render(
        request, "table.html", partition=partition, prefix=prefix, store=store, owners=owners,
        rows=[one | {"row": show(site, visitor, one["row"])} for one in rows[:PAGE]],
        older=with_query("/table", {"partition": partition, "prefix": prefix, "after": last}) if last else None,
        newest=with_query("/table", {"partition": partition, "prefix": prefix}) if after else None,
        changelog=site.table.changelog, partitions=site.table.partitions, tasks=site.table.tasks,
        counted=_count(store) if store else None, trouble=trouble, passed_on=is_passed_on(request),
    )  # fmt: skip


def _scan(store: Store, prefix: bytes, after: bytes, tenants: Tenants) -> list[dict[str, Any]]:
    """Return up to 51 rows whose keys begin so and come after, those that may be seen."""
    rows: list[dict[str, Any]] = []
    while len(rows) <= PAGE and (found := store.scan(after, 4 * PAGE)):
        after = found[-1][0]
        for key, raw in found:
            tenant = key.partition(b":")[0].decode(errors="replace")
            if not key.startswith(_INTERNAL) and key.startswith(prefix) and (tenants is None or tenant in tenants):
                rows.append(_tell_row(key, raw))
        if after > prefix and not after.startswith(prefix):
            break
    return rows


def _before(prefix: bytes) -> bytes:
    """Return a key that lies before all that begin with the prefix, and after nearly all others before them."""
    return prefix[:-1] + bytes([prefix[-1] - 1]) + b"\xff" * 8 if prefix else b""


def _tell_row(key: bytes, raw: bytes) -> dict[str, Any]:
    tenant, _, customer = key.decode(errors="replace").partition(":")
    enrollments = decode(raw).enrollments.values()
    due = min((one.waiting_until for one in enrollments if one.waiting_until), default=None)
    return {
        "key": f"{tenant}:{customer}", "tenant": tenant, "customer": customer, "size": len(raw), "due": due,
        "row": msgspec.json.decode(raw), "enrollments": len(enrollments),
    }  # fmt: skip


def _count(store: Store) -> tuple[int, int, bool]:
    """Return how many customers' rows a partition has, their bytes, and whether there are more."""
    rows = size = 0
    after = b""
    while rows < _COUNTED and (found := store.scan(after, 1000)):
        after = found[-1][0]
        mine = [raw for key, raw in found if not key.startswith(_INTERNAL)]
        rows, size = rows + len(mine), size + sum(map(len, mine))
    return rows, size, rows >= _COUNTED


# --- waits ------------------------------------------------------------------------------------------------------


async def show_waits(request: Request) -> Response:
    """Show when waits are due, and which are overdue or next."""
    site, visitor, given = site_of(request), visitor_of(request), request.query_params
    within = given.get("within", "") if given.get("within") in _SPANS else "day"
    width, bars, unit = _SPANS[within]
    now = read_clock()
    async with site.engine.connect() as connection:
        waiting = await totals.count_waiting(connection, visitor.tenants)
        overdue = await totals.count_overdue(connection, visitor.tenants, now)
        counts = await totals.count_due(connection, visitor.tenants, now, width, bars)
        is_late = given.get("show") == "overdue"
        start, end = (None, now) if is_late else (now, now + timedelta(days=36_500))
        rows = await totals.list_waits(connection, visitor.tenants, start, end)
        mentioned = {row["journey_id"] for row in rows}
        names = await history.journey_names(connection, mentioned)
        step_names = await history.step_names(connection, mentioned)
    labels = [f"due in {unit} {place + 1}" for place in range(bars)]
    return site.render(
        request, "waits.html", within=within, spans=list(_SPANS), waiting=waiting, due=sum(counts),
        overdue=capped(overdue, totals.MOST),
        bars=charts.bars(counts, labels), rows=rows, names=names, step_names=step_names,
        is_late=is_late, older=None, newest=None,
        nobody="No wait is overdue: all is on time." if is_late else "Nobody waits. WAIT steps fill this list.",
    )  # fmt: skip


# --- dead letters -----------------------------------------------------------------------------------------------


async def show_letters(request: Request) -> Response:
    """List dead letters, newest first, of one code or of all."""
    site, given = site_of(request), request.query_params
    code = given.get("code", "")
    letters, older = await site.broker.letters(code, _read_place(given.get("before", "")))
    seen = [letter for letter in letters if may_see(request, letter)]
    return site.render(
        request, "dead-letters.html", letters=seen, chosen=code, codes=await _count_codes(request),
        older=with_query("/dead-letters", {"code": code, "before": _write_place(older)}) if older else None,
        newest=with_query("/dead-letters", {"code": code}) if given.get("before") else None,
    )  # fmt: skip


async def _count_codes(request: Request) -> dict[str, int]:
    """Return how many of the newest 500 dead letters there are of each code."""
    letters, _ = await site_of(request).broker.letters(limit=500)
    codes: dict[str, int] = {}
    for letter in letters:
        if may_see(request, letter):
            codes[letter.header("code")] = codes.get(letter.header("code"), 0) + 1
    return dict(sorted(codes.items(), key=lambda item: -item[1]))


def may_see(request: Request, letter: Letter) -> bool:
    """Say whether a record may be shown: to those of one tenant only if its key names that tenant."""
    return visitor_of(request).sees((letter.key or b"").partition(b":")[0].decode(errors="replace"))


def _read_place(text: str) -> dict[int, int]:
    pairs = (pair.split(".") for pair in text.split("-") if pair.count(".") == 1)
    return {int(p): int(o) for p, o in pairs if p.isdecimal() and o.isdecimal() and len(o) < 19}


def _write_place(place: dict[int, int]) -> str:
    return "-".join(f"{partition}.{offset}" for partition, offset in place.items())


async def find_letter(request: Request) -> Letter:
    """Return the dead letter that an address names; raises 404."""
    partition, offset = request.path_params["partition"], request.path_params["offset"]
    letter = await site_of(request).broker.letter(partition, offset)
    if letter is None or not may_see(request, letter):
        raise missing("There is no such dead letter, or it is no longer kept.")
    return letter


async def show_letter(request: Request) -> Response:
    """Show one dead letter: why, where it came from, its bytes and what they say."""
    site, letter = site_of(request), await find_letter(request)
    value = show_record(site, visitor_of(request), letter.value)
    return site.render(request, "dead-letter.html", letter=letter, value=value)


# --- topics -----------------------------------------------------------------------------------------------------


async def show_topics(request: Request) -> Response:
    """Show every topic with its records and lag; one of them by partition."""
    site, chosen = site_of(request), request.query_params.get("topic", "")
    parts = await site.broker.parts()
    by_topic: dict[str, list[Part]] = {}
    for part in parts:
        by_topic.setdefault(part.topic, []).append(part)
    lags = {name: _sum_lag(found) for name, found in by_topic.items()}
    return site.render(
        request, "topics.html", topics=site.broker.topics.all, by_topic=by_topic, lags=lags, chosen=chosen,
        activity=ACTIVITY,
    )  # fmt: skip


def _sum_lag(parts: list[Part]) -> int | None:
    lags = [part.lag for part in parts if part.lag is not None]
    return sum(lags) if lags else None


ROUTES = [
    Route("/table", show_table),
    Route("/waits", show_waits),
    Route("/dead-letters", show_letters),
    Route("/dead-letters/{partition:int}/{offset:int}", show_letter),
    Route("/topics", show_topics),
]
