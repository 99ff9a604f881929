"""The list of rights: what kafka-acls.sh is told, and what a topic's operations lack."""

from pathlib import Path

from streams.kafka.rights import Right, find_missing, list_rights, write_acl
from streams.kafka.roles import Role
from streams.kafka.topics import COMMANDS, Topics, read_topics

TOPICS: Topics = read_topics(Path("topics.yaml"), "golf")


def lines(role: Role) -> list[str]:
    return list(write_acl(list_rights(role, TOPICS, "golf", "sender-"), "User:a b", "h:1", "my.conf"))


def test_a_line_gives_one_right() -> None:
    start = "kafka-acls.sh --bootstrap-server h:1 --command-config my.conf --add --allow-principal 'User:a b'"
    assert lines(Role.SENDER) == [
        f"{start} --operation Read --topic fairway.commands",
        f"{start} --operation Read --topic fairway.profile-updates",
        f"{start} --operation Read --resource-pattern-type prefixed --group sender-",
    ]


def test_only_workers_write_what_comes_of_events_and_only_operators_create() -> None:
    for role in Role:
        of_commands = [line for line in lines(role) if line.endswith(f"--topic {COMMANDS}")]
        assert any("--operation Write" in line for line in of_commands) is (role is Role.WORKER)
        assert any("--operation Create" in line for line in lines(role)) is (role is Role.OPERATOR)
        assert not any("All" in line or "Delete" in line for line in lines(role))


def test_what_is_lacking_is_found_by_the_bits_that_kafka_tells() -> None:
    rights = [Right("topic", "a", ("Read", "Write")), Right("group", "a", ("Read",))]
    assert find_missing(rights, {"a": 1 << 3}) == [Right("topic", "a", ("Write",))]
    assert find_missing(rights, {"a": 1 << 3 | 1 << 4}) == []
    assert find_missing(rights, {"a": -1}) == []
    assert str(find_missing(rights, {"a": 0})[0]) == "Read and Write on topic 'a'"
