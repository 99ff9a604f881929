"""A partition that stays keeps its position in the consumer; one that goes loses it, and whoever waits for it."""

from aiokafka import TopicPartition
from aiokafka.errors import GroupAuthorizationFailedError
from aiokafka.structs import OffsetAndMetadata

from streams.worker.subscriptions import LastingSubscriptions

FIRST, SECOND, THIRD = (TopicPartition("booked", number) for number in range(3))


def make() -> LastingSubscriptions:
    subscriptions = LastingSubscriptions()
    subscriptions.subscribe({"booked"})
    subscriptions.assign_from_subscribed([FIRST, SECOND])
    subscriptions.seek(FIRST, 7)
    subscriptions.seek(SECOND, 8)
    return subscriptions


async def test_what_stays_is_read_on_while_the_group_agrees_and_after_it() -> None:
    subscriptions, changes = make(), []
    subscriptions.on_change = lambda: changes.append(subscriptions.assigned_partitions())
    assignment = subscriptions.subscription.assignment
    subscriptions.begin_reassignment()
    assert not subscriptions.reassignment_in_progress
    subscriptions.assign_from_subscribed([FIRST, THIRD])
    assert subscriptions.subscription.assignment is assignment
    assert assignment.active
    assert changes == [{FIRST, THIRD}]
    assert assignment.state_value(FIRST).position == 7
    assert not assignment.state_value(THIRD).has_valid_position


async def test_of_what_goes_nothing_is_taken_in_and_where_it_comes_back_it_begins_anew() -> None:
    subscriptions = make()
    assignment = subscriptions.subscription.assignment
    asked = assignment.state_value(SECOND).fetch_committed()
    subscriptions.assign_from_subscribed([FIRST])
    assert not assignment.state_value(SECOND).has_valid_position
    assert asked.cancelled()
    assert assignment.state_value(SECOND).fetch_committed().cancelled()
    subscriptions.assign_from_subscribed([FIRST, SECOND])
    state = assignment.state_value(SECOND)
    again = state.fetch_committed()
    assert assignment.requesting_committed() == [SECOND]
    state.update_committed(OffsetAndMetadata(9, ""))
    assert (await again).offset == 9


async def test_what_ends_the_coordinator_s_work_is_told_also_where_nobody_waits() -> None:
    subscriptions, errors = make(), list[BaseException]()
    subscriptions.register_fetch_waiters(set())
    subscriptions.on_error = errors.append
    error = GroupAuthorizationFailedError("golf")
    subscriptions.abort_waiters(error)
    assert errors == [error]
