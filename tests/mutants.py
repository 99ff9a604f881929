"""Say which mutants of the engine no test kills: `make mutants`, see docs/decisions/033-mutants.md.

mutmut has written them into `mutants/`, where this runs, and noted which test reaches which function. It would
start pytest anew for each; here each runs in a fork of one collected session, first by the tests that killed others
of its function. A fork comes too late for what has run while modules were imported: what survives of that runs once
more, in a process of its own.
"""

import gc
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

SLOW = ("test_properties", "100_000_customers")
SECONDS = 6  # of processor time that one test may take
OPTIONS = ["-q", "-x", "--tb=native", "-p", "no:cacheprovider", "--timeout=0"]
TESTS = "tests/engine"


class Forks:
    """Runs mutants in place of the tests that pytest has collected."""

    def __init__(self, names: list[str]) -> None:
        self.names = names
        self.survivors: list[str] = []
        self.early: set[str] = set()  # what ran before the first test

    def pytest_collection(self) -> None:
        sys.setprofile(lambda frame, *_: self.early.add(frame.f_code.co_name))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.setprofile(None)
        noted = json.loads(Path("mutmut-stats.json").read_text())
        reach, seconds = noted["tests_by_mangled_function_name"], noted["duration_by_test"]
        items = [item for item in session.items if not any(slow in item.nodeid for slow in SLOW)]
        items.sort(key=lambda item: seconds.get(item.nodeid, 0))
        kills: dict[str, Counter[str]] = {}
        gc.freeze()
        if failing := kill_in_fork("", items):
            pytest.exit(f"{failing} fails without a mutant too.", 1)
        for name in self.names:
            function = name.rpartition("__mutmut_")[0]
            killed = kills.setdefault(function, Counter())
            near = [item for item in items if item.nodeid in reach.get(function, ())] or items
            near.sort(key=lambda item: -killed[item.nodeid])
            killer = kill_in_fork(name, near)
            killed[killer] += 1
            if not killer and not (self.is_early(name) and is_killed_alone(name)):
                print(name, flush=True)
                self.survivors.append(name)
        return True

    def is_early(self, name: str) -> bool:
        return name.rpartition(".")[2].rpartition("__mutmut_")[0] + "__mutmut_orig" in self.early


def kill_in_fork(name: str, items: list[pytest.Item]) -> str:
    """Return the test that fails, "" if none does."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.environ["MUTANT_UNDER_TEST"] = name
        os.write(writer, next((item.nodeid for item in items if fails(item)), "").encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as answer:
        killer = answer.read()
    os.waitpid(child, 0)
    return killer


class TooLong(BaseException):
    """No Exception, so that nothing that is tested catches it."""


def stop(*_: object) -> None:
    raise TooLong


def fails(item: pytest.Item) -> bool:
    signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        return any(report.failed for report in runtestprotocol(item, nextitem=None, log=False))
    except BaseException:
        return True
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def is_killed_alone(name: str) -> bool:
    quick = ["-k", f"not {' and not '.join(SLOW)}"]
    command = [sys.executable, "-m", "pytest", *OPTIONS, *quick, TESTS]
    mutated = os.environ | {"MUTANT_UNDER_TEST": name}
    return subprocess.run(command, env=mutated, capture_output=True, check=False).returncode != 0


def main(wanted: str) -> None:
    os.environ["MUTANT_UNDER_TEST"] = ""
    metas = [json.loads(file.read_text()) for file in sorted(Path("streams/engine").rglob("*.meta"))]
    names = [name for meta in metas for name in meta["exit_code_by_key"] if wanted in name]
    forks = Forks(names)
    pytest.main([*OPTIONS, TESTS], plugins=[forks])
    print(f"{len(forks.survivors)} of {len(names)} mutants survive; `mutmut show` shows one.")


if __name__ == "__main__":
    main("".join(sys.argv[1:]))
