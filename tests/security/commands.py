"""Every command of the command line once, by the role that runs it, in an order in which each has something to do.

`{folder}` is where the test's files are, `{letter}` the place of a dead letter.
"""

from typing import NamedTuple

_OF = "--tenant pinehurst"


class Step(NamedTuple):
    """A command, what it is given, and a word of what it says."""

    role: str
    command: str
    given: str = ""
    says: str = ""


WITHOUT_RIGHTS = frozenset({"demo", "dev up", "dev down", "dev env"})
"""Commands for servers of one's own, which keep no rights."""

TWO_APPS = frozenset({"state move"})
"""What needs a worker's rights for two app ids: tests/broker/test_state_move.py tries it, without an authorizer."""

AT_WORK = frozenset({"worker"})
"""What runs meanwhile."""

BEFORE = (
    Step("operator", "topics apply"),
    Step("operator", "topics plan", says="as the file says"),
    Step("operator", "topics export", "--format acl", says="--add"),
    Step("operator", "db upgrade"),
    Step("operator", "access grant", f"ann {_OF}"),
    Step("operator", "access list", says="ann"),
    Step("operator", "access revoke", "ann"),
    Step("author", "init", "{folder}/new"),
    Step("author", "schemas"),
    Step("author", "journeys schema"),
    Step("author", "journeys validate", "{folder}/journey.yaml", "no problems"),
    Step("author", "simulate", "--journeys {folder}/journey.yaml --events {folder}/events-0.jsonl", "commandId"),
    Step("author", "journeys apply", "{folder}/journey.yaml"),
    Step("author", "journeys activate", f"Reminder {_OF}"),
    Step("author", "journeys list", says="Reminder"),
    Step("author", "journeys show", f"Reminder {_OF}", "TRIGGER"),
    Step("author", "journeys refusals", f"Reminder {_OF}", "has refused nobody"),
    Step("author", "journeys diff", f"Reminder {{folder}}/journey.yaml {_OF}", "They say the same."),
    Step("producer", "publish", "{folder}/events-0.jsonl", "30 events published."),
)

WHILE = (
    Step("author", "enroll", f"{_OF} --journey Reminder --customer c-1 --wait --within 30", "entered"),
    Step("author", "exit", f"{_OF} --journey Reminder --customer c-1"),
    Step("sender", "commands", says="commandId"),
    Step("author", "journeys pause", f"Reminder {_OF}"),
    Step("author", "journeys resume", f"Reminder {_OF}"),
    Step("author", "journeys publish", f"Reminder {_OF}"),
    Step("author", "customers show", f"c-1 {_OF}", "enrollments"),
    Step("author", "customers timeline", f"c-1 {_OF}"),
    Step("author", "enrollments list", f"Reminder {_OF}", "c-1"),
    Step("author", "waits list"),
    Step("author", "history list"),
    Step("author", "journeys recover"),
    Step("author", "history unpark", says="0 records written."),
    Step("author", "db unpark"),
    Step("operator", "state repair", f"{_OF} --customer broken", "was repaired"),
    Step("operator", "state get", f"{_OF} --customer broken", '"problem": ""'),
    Step("operator", "state dump", says="pinehurst:broken"),
    Step("operator", "state verify", says="all can be used"),
    Step("operator", "dead-letters list", says="not-json"),
    Step("operator", "dead-letters count", says="not-json"),
    Step("operator", "dead-letters show", "{letter}", "not-json"),
    Step("operator", "dead-letters replay", "{letter}", "1 record was sent again."),
    Step("operator", "dead-letters reopen", "{letter}"),
    Step("operator", "dead-letters resolve", "{letter}"),
    Step("operator", "dead-letters discard", "--all"),
    Step("operator", "doctor", "--role operator", "that the role 'operator' needs"),
    Step("author", "journeys archive", f"Reminder {_OF}"),
    Step("operator", "db rebuild", "--yes"),
)
