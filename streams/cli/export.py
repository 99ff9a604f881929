"""`fairway topics export`: the topics and the rights on them, as other tools take them."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.kafka.roles import SENDER_GROUPS, Role
from streams.settings import read_settings

if TYPE_CHECKING:
    from streams.kafka.topics import Topics


class Format(StrEnum):
    """For which tool: kafka-acls.sh, whatever reads AsyncAPI, or Strimzi's topic operator."""

    ACL = "acl"
    ASYNCAPI = "asyncapi"
    STRIMZI = "strimzi"


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
    ] = SENDER_GROUPS,
    command_config: Annotated[
        str, typer.Option(metavar="FILE", help="The file by which kafka-acls.sh connects.")
    ] = "",
    cluster: Annotated[str, typer.Option(help="Of strimzi: the name of the Kafka resource.")] = "kafka",
) -> None:
    """Print the topics of topics.yaml as AsyncAPI 3.0 or for Strimzi, or the rights that each role needs on them.

    acl has a line for kafka-acls.sh for each thing that a role must be allowed to do in Kafka, and no more; the
    options but --cluster are about it alone.
    """
    from streams.cli.printing import write_yaml
    from streams.kafka.rights import list_rights, write_acl
    from streams.kafka.topics import read_topics

    settings = read_settings()
    topics = read_topics(settings.topics_file, settings.app_id)
    if form is not Format.ACL:
        typer.echo(write_yaml(_describe(form, topics, cluster)), nl=False)
        return
    principals = dict(zip(Role, (worker, author, producer, sender, operator), strict=True))
    for one in role or Role:
        rights = list_rights(one, topics, settings.app_id, sender_groups)
        for line in write_acl(rights, principals[one], settings.brokers, command_config):
            typer.echo(line)


def _describe(form: Format, topics: "Topics", cluster: str) -> list[dict[str, Any]]:
    from importlib.metadata import version

    from streams.kafka.export.asyncapi import asyncapi_document
    from streams.kafka.export.strimzi import strimzi_resources

    if form is Format.ASYNCAPI:
        return [asyncapi_document(topics, version("fairway-journeys"))]
    return strimzi_resources(topics, cluster)
