"""The kinds of faults. Each returns the moment, in seconds since 1970, from which recovery is counted."""

import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from typing import NamedTuple

from streams.failpoints import NAMES
from tests.faults.cluster import Cluster
from tests.faults.workers import LATEST_END, Workers, wait

SESSION = 6.0  # seconds, the workers' session timeout


class Scene(NamedTuple):
    cluster: Cluster
    workers: Workers
    chance: random.Random
    scale: float = 1.0  # below 1, outages are shorter


Kind = Callable[[Scene], float]


def kill_one(scene: Scene) -> float:
    worker = any_worker(scene)
    scene.workers.kill(worker)
    killed = time.time()
    scene.workers.start(worker)
    return killed


def kill_all(scene: Scene) -> float:
    everyone = scene.workers.numbers
    scene.workers.kill(*everyone)
    killed = time.time()
    for worker in everyone:
        scene.workers.start(worker)
    return killed


def freeze_one(scene: Scene) -> float:
    """A zombie: it wakes after the others have taken its partitions over, and believes itself the owner."""
    worker = any_worker(scene)
    scene.workers.signal(worker, signal.SIGSTOP)
    frozen = time.time()
    wait(SESSION + 1 + 3 * scene.chance.random())
    scene.workers.signal(worker, signal.SIGCONT)
    return frozen


def freeze_for_a_moment(scene: Scene) -> float:
    worker = any_worker(scene)
    scene.workers.signal(worker, signal.SIGSTOP)
    frozen = time.time()
    wait(1 + 3 * scene.chance.random())
    scene.workers.signal(worker, signal.SIGCONT)
    return frozen


def add_and_remove(scene: Scene) -> float:
    """Rebalances every few seconds: workers come and go in order."""
    newcomers = [number for number in range(5) if number not in scene.workers.numbers][:2]
    for worker in newcomers:
        scene.workers.start(worker)
        wait(5 * scene.scale)
    for worker in newcomers:
        _stop(scene, worker)
        wait(5 * scene.scale)
    return time.time()


def restart_in_order(scene: Scene) -> float:
    """SIGTERM under load, one worker after another."""
    stopped = time.time()
    for worker in scene.workers.numbers:
        stopped = time.time()
        _stop(scene, worker)
        scene.workers.start(worker)
        wait(2 * scene.scale)
    return stopped


def kill_broker(scene: Scene) -> float:
    """Down for as long as a machine takes to start: commits wait, time out, and meet a broker that is loading."""
    scene.cluster.brokers.kill(0)
    wait(14 * scene.scale * scene.chance.random())
    scene.cluster.brokers.start(0)
    return time.time()


def freeze_broker(scene: Scene) -> float:
    scene.cluster.brokers.signal(signal.SIGSTOP, 0)
    wait(30 * scene.scale)
    scene.cluster.brokers.signal(signal.SIGCONT, 0)
    return time.time()


def cut_network(scene: Scene) -> float:
    for way in scene.cluster.network.ways:
        way.refuse()
    wait(20 * scene.scale)
    for way in scene.cluster.network.ways:
        way.accept()
    return time.time()


def cut_one_off(scene: Scene) -> float:
    """One worker loses its way to the broker; the others take over."""
    way = scene.cluster.network.ways[any_worker(scene)]
    way.refuse()
    cut = time.time()
    wait(20 * scene.scale)
    way.accept()
    return cut


def stall_one(scene: Scene) -> float:
    """One worker's connections stay, but nothing moves: what it sent may arrive much later."""
    way = scene.cluster.network.ways[any_worker(scene)]
    way.stall()
    stalled = time.time()
    wait(20 * scene.scale)
    way.go_on()
    return stalled


def failpoint(name: str) -> Kind:
    """Kill -9 at this very point, some time on."""

    def die_there(scene: Scene) -> float:
        worker = any_worker(scene)
        before = len(scene.workers.exits)
        opening = name.startswith(("fence", "restore"))
        count = scene.chance.randint(1, 3) if opening else scene.chance.randint(1, 20)
        scene.workers.kill(worker)
        scene.workers.start(worker, f"{name}:{count}")
        deadline = time.monotonic() + 45
        while len(scene.workers.exits) == before and time.monotonic() < deadline:
            wait(0.1)
        return scene.workers.exits[before].at if len(scene.workers.exits) > before else time.time()

    return die_there


def remove_store(scene: Scene) -> float:
    worker = any_worker(scene)
    scene.workers.kill(worker)
    killed = time.time()
    scene.workers.remove_data(worker)
    scene.workers.start(worker)
    return killed


def remove_store_in_use(scene: Scene) -> float:
    scene.workers.remove_data(any_worker(scene))
    return time.time()


def corrupt_store(scene: Scene) -> float:
    """Overwrite a piece in the middle of every file of every store of a worker."""
    worker = any_worker(scene)
    scene.workers.kill(worker)
    killed = time.time()
    for file in scene.workers.data(worker).rglob("store-*/*"):
        if file.suffix in (".sst", ".log") and file.stat().st_size > 100:
            with file.open("r+b") as content:
                content.seek(file.stat().st_size // 2)
                content.write(b"\xa5" * 64)
    scene.workers.start(worker)
    return killed


def restore_old_store(scene: Scene) -> float:
    """Bring back a store as it was a while ago, as from a backup."""
    worker = any_worker(scene)
    data = scene.workers.data(worker)
    backup = data.with_name(data.name + ".backup")
    scene.workers.kill(worker)
    shutil.rmtree(backup, ignore_errors=True)
    shutil.copytree(data, backup)
    scene.workers.start(worker)
    wait(12 * scene.scale)
    scene.workers.kill(worker)
    killed = time.time()
    scene.workers.remove_data(worker)
    backup.rename(data)
    scene.workers.start(worker)
    return killed


def fill_disk(scene: Scene) -> float:
    """Put a worker's data on a disk too small, then give it room again."""
    worker = any_worker(scene)
    data = scene.workers.data(worker)
    scene.workers.kill(worker)
    scene.workers.remove_data(worker)
    data.mkdir(parents=True)
    _run("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(data))
    scene.workers.start(worker)
    wait(12 * scene.scale)
    _run("mount", "-o", "remount,size=512m", str(data))
    grown = time.time()
    wait(15 * scene.scale)
    scene.workers.kill(worker)
    _run("umount", "-l", str(data))
    scene.workers.start(worker)
    return grown


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def any_worker(scene: Scene) -> int:
    return scene.chance.choice(scene.workers.numbers)


def _stop(scene: Scene, worker: int) -> None:
    code, seconds = scene.workers.stop(worker)
    assert code == 0, f"worker {worker} ended with exit code {code} on SIGTERM"
    assert seconds < LATEST_END, f"worker {worker} took {seconds:.1f} s to end on SIGTERM"


KINDS: dict[str, Kind] = {
    "kill -9 of a worker": kill_one,
    "kill -9 of all workers": kill_all,
    "worker stopped past its session": freeze_one,
    "worker stopped for a moment": freeze_for_a_moment,
    "workers added and removed": add_and_remove,
    "SIGTERM of each worker in turn": restart_in_order,
    "kill -9 of the broker": kill_broker,
    "broker stopped for 30 s": freeze_broker,
    "broker refused for 20 s": cut_network,
    "broker refused to one worker": cut_one_off,
    "network of one worker stalled": stall_one,
    "store removed": remove_store,
    "store removed while in use": remove_store_in_use,
    "store damaged": corrupt_store,
    "old store brought back": restore_old_store,
    "disk full": fill_disk,
    **{f"kill -9 at {name}": failpoint(name) for name in NAMES},
}
