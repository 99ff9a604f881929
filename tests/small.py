"""The smallest send command, where a test or a benchmark is not about what stands in it."""

from typing import cast

import msgspec

from streams.engine.effects import Command, SendCommand


class _Small(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    command_id: str
    tenant_id: str
    channel: str
    to: str


def command(id_: str, tenant_id: str, to: str = "") -> Command:
    """Return a send command that has what its headers are made of, and `to`."""
    return Command(cast("SendCommand", _Small(id_, tenant_id, "EMAIL", to)))
