"""`fairway topics export`: the topics and the rights on them, as other tools take them."""

from enum import StrEnum
from typing import Annotated

import typer

from streams.kafka.rights import Role
from streams.settings import read_settings


class Format(StrEnum):
    """For which tool: acl gives lines for Kafka's own kafka-acls.sh."""

    ACL = "acl"


_WHO = typer.Option(metavar="PRINCIPAL", help="Who that is in Kafka.", show_default=True)


def export(
    form: Annotated[Format, typer.Option("--format", help="acl: the rights of each role, for kafka-acls.sh.")],
    role: Annotated[list[Role] | None, typer.Option(help="Only these roles; all, if none is named.")] = None,
    worker: Annotated[str, _WHO] = "User:fairway-worker",
    author: Annotated[str, _WHO] = "User:fairway-author",
    producer: Annotated[str, _WHO] = "User:fairway-producer",
    sender: Annotated[str, _WHO] = "User:fairway-sender",
    operator: Annotated[str, _WHO] = "User:fairway-operator",
    sender_groups: Annotated[
        str, typer.Option(metavar="PREFIX", help="What the names of the senders' consumer groups begin with.")
    ] = "sender-",
    command_config: Annotated[
        str, typer.Option(metavar="FILE", help="The file by which kafka-acls.sh connects.")
    ] = "",
) -> None:
    """Print what each role must be allowed to do in Kafka, and no more: one line for kafka-acls.sh a right."""
    from streams.kafka.rights import list_rights, write_acl
    from streams.kafka.topics import read_topics

    settings = read_settings()
    topics = read_topics(settings.topics_file, settings.app_id)
    principals = dict(zip(Role, (worker, author, producer, sender, operator), strict=True))
    for one in role or Role:
        rights = list_rights(one, topics, settings.app_id, sender_groups)
        for line in write_acl(rights, principals[one], settings.brokers, command_config):
            typer.echo(line)
