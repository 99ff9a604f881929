"""The kinds of faults of a cluster of three brokers, where two copies must have what is written.

Each returns the moment from which recovery is counted: of what one broker does, the others can make up for at once.
Each ends when every copy has all again, so that the next begins with three.
"""

import signal
import time

from tests.faults.kinds import Kind, Scene, any_worker
from tests.faults.workers import wait


def kill_one(scene: Scene) -> float:
    """The others lead what it led; it comes back behind, and catches up."""
    number = _any(scene)
    scene.cluster.brokers.kill(number)
    killed = time.time()
    _bring_back(scene, number)
    return killed


def kill_two(scene: Scene) -> float:
    """The third must not take writes alone, and has no majority to elect by."""
    pair = scene.chance.sample(scene.cluster.brokers.numbers, 2)
    scene.cluster.brokers.kill(*pair)
    return _bring_back(scene, *pair)


def kill_all(scene: Scene) -> float:
    everyone = scene.cluster.brokers.numbers
    scene.cluster.brokers.kill(*everyone)
    return _bring_back(scene, *everyone)


def kill_with_worker(scene: Scene) -> float:
    """A transaction whose worker and whose coordinator, or a partition's leader, die together."""
    number, worker = _any(scene), any_worker(scene)
    scene.workers.kill(worker)
    scene.cluster.brokers.kill(number)
    killed = time.time()
    scene.workers.start(worker)
    _bring_back(scene, number)
    return killed


def freeze_one(scene: Scene) -> float:
    """A zombie: when it wakes, others lead what it believes to lead."""
    number = _any(scene)
    scene.cluster.brokers.signal(signal.SIGSTOP, number)
    frozen = time.time()
    wait(30 * scene.scale)
    scene.cluster.brokers.signal(signal.SIGCONT, number)
    scene.cluster.brokers.wait_until_whole()
    return frozen


def restart_in_turn(scene: Scene) -> float:
    """SIGTERM of each, as an upgrade does: it hands over, ends, comes back, and catches up before the next."""
    stopped = time.time()
    for number in scene.cluster.brokers.numbers:
        stopped = time.time()
        scene.cluster.brokers.stop(number)
        scene.cluster.brokers.start(number)
        scene.cluster.brokers.wait_until_whole()
    return stopped


def refuse_to_all(scene: Scene) -> float:
    """No worker reaches one broker, which goes on leading, for it is well."""
    number = _any(scene)
    proxies = [way.proxies[number] for way in scene.cluster.network.ways]
    for proxy in proxies:
        proxy.refuse()
    wait(20 * scene.scale)
    for proxy in proxies:
        proxy.accept()
    return time.time()


def refuse_to_one(scene: Scene) -> float:
    """One worker reaches two of three brokers: it may stay in the group, but not write to all partitions."""
    proxy = scene.cluster.network.ways[any_worker(scene)].proxies[_any(scene)]
    proxy.refuse()
    wait(20 * scene.scale)
    proxy.accept()
    return time.time()


def _any(scene: Scene) -> int:
    return scene.chance.choice(scene.cluster.brokers.numbers)


def _bring_back(scene: Scene, *numbers: int) -> float:
    """Start brokers that were killed after as long as a machine takes to start; return when they answered."""
    wait(14 * scene.scale * scene.chance.random())
    scene.cluster.brokers.start(*numbers)
    answered = time.time()
    scene.cluster.brokers.wait_until_whole()
    return answered


BROKER_KINDS: dict[str, Kind] = {
    "kill -9 of one of three brokers": kill_one,
    "kill -9 of two of three brokers": kill_two,
    "kill -9 of all three brokers": kill_all,
    "kill -9 of a broker and a worker": kill_with_worker,
    "one of three brokers stopped for 30 s": freeze_one,
    "SIGTERM of each broker in turn": restart_in_turn,
    "one of three brokers refused for 20 s": refuse_to_all,
    "one of three brokers refused to one worker": refuse_to_one,
}
