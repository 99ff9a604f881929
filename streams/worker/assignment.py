"""The partitions that this worker owns, each with its task."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence

from streams.cancellation import end_tasks
from streams.kafka.fetch import Fetch, Seek
from streams.kafka.inputs import input_name
from streams.partition.task import PartitionTask
from streams.worker.standbys import Standbys


class Assignment:
    """Gives every partition of the state that is assigned a task, and every fetch to the task that it is for."""

    def __init__(
        self,
        topics: Sequence[str],
        partitions: int,
        make_task: Callable[[int], PartitionTask],
        crash: Callable[[BaseException], None],
        standbys: Standbys,
    ) -> None:
        """`partitions`: of the state; partition q of a topic belongs to the task of q modulo that number.

        `standbys`: what keeps copies of others' partitions, whose stores the tasks begin with.
        """
        self.topics = topics
        self._partitions = partitions
        self._make_task = make_task
        self._crash = crash
        self._standbys = standbys
        standbys.find_opening = self._find_opening
        standbys.is_at_work = lambda: bool(self._tasks)
        self._tasks: dict[int, PartitionTask] = {}
        self.is_assigned = False  # the group has given us partitions, perhaps none
        self._is_finished = False
        self._running: dict[int, asyncio.Task[None]] = {}

    @property
    def tasks(self) -> Mapping[int, PartitionTask]:
        """Return the tasks by partition."""
        return self._tasks

    def __iter__(self) -> Iterator[PartitionTask]:
        return iter(tuple(self._tasks.values()))

    @property
    def is_open(self) -> bool:
        """Say whether the group has given us partitions, and all of them work; none only if none are to follow."""
        if not self._tasks:
            return self.is_assigned and not self.warming
        return all(task.stage == "running" for task in self)

    @property
    def warming(self) -> frozenset[int]:
        """Return the partitions that are to follow once this worker has copied them."""
        return self._standbys.warming

    def wants(self, topic: str, partition: int) -> bool:
        """Say whether the partition's task has room for another fetch of this partition of a topic."""
        task = self._tasks.get(own := partition % self._partitions)
        return task is not None and task.wants(input_name(topic, partition, own))

    def take(self, fetch: Fetch) -> None:
        """Hand a fetch to its partition's task."""
        task = self._tasks.get(fetch.partition % self._partitions)
        if task is not None:
            task.take(fetch)

    async def assign(self, partitions: Sequence[int], assignment: int, seek: Seek) -> None:
        """Own these partitions from now on; the others' stores are free for other workers when this returns.

        A task whose partition stays goes on. That is safe: if it may have been another worker's meanwhile, the
        producer refuses what the task did before.
        """
        if self._is_finished:
            return
        own: dict[int, list[int]] = {}
        for number in partitions:
            own.setdefault(number % self._partitions, []).append(number)
        gone = [task for task in self if task.partition not in own]
        self.is_assigned = True
        await self._standbys.release(own)
        for partition, numbers in own.items():
            task = self._tasks.get(partition) or self._start(partition)
            task.queue.assign(assignment, seek, numbers)
        await asyncio.gather(*(self._leave(task) for task in gone))
        await self._standbys.follow()

    def _find_opening(self) -> list[int]:
        return [task.partition for task in self if task.has_to_restore]

    def _start(self, partition: int) -> PartitionTask:
        task = self._tasks[partition] = self._make_task(partition)
        task.store = self._standbys.take(partition)
        running = self._running[partition] = asyncio.create_task(task.run(), name=f"partition-{partition}")
        running.add_done_callback(self._look_at_end)
        return task

    def _look_at_end(self, running: "asyncio.Task[None]") -> None:
        if running.cancelled():
            if running in self._running.values():  # a library's cancellation: nobody else would work on it
                self._crash(RuntimeError(f"the work on {running.get_name()} was cancelled"))
        elif (error := running.exception()) is not None:
            self._crash(error)

    async def _leave(self, task: PartitionTask) -> None:
        """Close a task whose partition is another worker's now: nothing more is committed."""
        if (running := self._running.pop(task.partition, None)) is not None:
            await end_tasks(running)
        await self._close(task)

    async def _close(self, task: PartitionTask) -> None:
        await task.close(self._running.pop(task.partition, None))
        self._tasks.pop(task.partition, None)

    async def finish(self) -> None:
        """Commit everywhere, and do nothing more, whatever is assigned."""
        self._is_finished = True
        running, self._running = self._running, {}
        finishing = [self._tasks[partition].finish(one) for partition, one in running.items()]
        await asyncio.gather(*finishing, self._standbys.finish())

    async def close(self) -> None:
        """Commit and close everywhere."""
        await asyncio.gather(*(self._close(task) for task in self))
        await self._standbys.close()
