"""Compare what came out with what had to: nothing lost, nothing doubled, every row as it must be."""

from collections import Counter
from typing import NamedTuple

from models.customer import decode
from tests.faults import witness
from tests.faults.cluster import Cluster
from tests.faults.foretold import Foretold, view
from tests.faults.load import Sent


class Verdict(NamedTuple):
    lost: list[str]
    foreign: list[str]
    doubled: list[str]
    seen_otherwise: list[str]  # by the consumer that read along
    rows_that_differ: list[bytes]
    letters_that_differ: list[str]
    activity_that_differs: list[bytes]

    @property
    def is_clean(self) -> bool:
        return not any(self)

    def __str__(self) -> str:
        return ", ".join(
            f"{name} {len(found)} {found[:5] if found else ''}" for name, found in self._asdict().items()
        )


def judge(cluster: Cluster, sent: list[Sent], foretold: Foretold, along: witness.Witness) -> Verdict:
    commands = witness.command_ids(cluster.address)
    found = {name.decode() for name in commands}
    rows = witness.rows(cluster.address, cluster.changelog)
    customers = {key: decode(row) for key, row in rows.items() if not key.startswith(b":")}
    seen = {key: view(row) for key, row in customers.items()}
    written = witness.activity(cluster.address)
    return Verdict(
        lost=sorted(foretold.commands - found),
        foreign=sorted(found - foretold.commands),
        doubled=sorted(name.decode() for name, count in commands.items() if count > 1),
        seen_otherwise=sorted(
            name.decode() for name in set((along.commands - commands) + (commands - along.commands))
        ),
        rows_that_differ=sorted(
            key for key in foretold.rows.keys() | seen.keys() if foretold.rows.get(key) != seen.get(key)
        ),
        letters_that_differ=_compare_letters(cluster, sent),
        activity_that_differs=sorted(
            key for key, row in customers.items() if len(written[key]) != row.records or has_repeats(written[key])
        ),
    )


def has_repeats(ids: list[str]) -> bool:
    return len(set(ids)) < len(ids)


def _compare_letters(cluster: Cluster, sent: list[Sent]) -> list[str]:
    """Return the poison whose dead letter is missing, doubled or not the same byte for byte."""
    wanted = Counter((one.record.key, one.record.value, one.record.headers) for one in sent if one.event is None)
    found = Counter(
        (letter.key, letter.value, tuple(header for header in letter.headers if not header[0].startswith("dlq.")))
        for letter in witness.dead_letters(cluster.address)
    )
    return [str(letter[2]) for letter in (wanted - found) + (found - wanted)]
