"""Checks of what Kafka lets us do: each right of a role, one by one, as `fairway topics export` prints them."""

from streams.doctor.finding import Findings
from streams.kafka.clients import Admin
from streams.kafka.readiness import find_lacking, keeps_rights, look_at_topics
from streams.kafka.rights import list_rights, write_acl
from streams.kafka.roles import SENDER_GROUPS, Role
from streams.kafka.topics import Topics
from streams.settings import Settings


async def check_rights(findings: Findings, settings: Settings, admin: Admin, topics: Topics, role: Role) -> None:
    """Note each right that this user of Kafka lacks to be of a role, with the line that gives it."""
    if not await keeps_rights(admin):
        findings.ok("rights", "Kafka has no authorizer: whoever reaches it may do everything.")
        return
    rights = list_rights(role, topics, settings.app_id, SENDER_GROUPS)
    found = await look_at_topics(admin, [topic.name for topic in topics.all])
    lacking = await find_lacking(admin, rights, found)
    whole = {(right.kind, right.name): right for right in rights}
    user = name_user(settings, role)
    for right in lacking:
        (line,) = write_acl([whole[right.kind, right.name]], user, settings.brokers)
        findings.fail("rights", f"This user of Kafka lacks {right}.", line)
    if not lacking:
        findings.ok("rights", f"This user of Kafka has all {len(rights)} rights that the role '{role}' needs.")


def name_user(settings: Settings, role: Role) -> str:
    """Return who we are to Kafka, as ACLs name users; by certificate or token, that is for the brokers to say."""
    is_named = settings.kafka_sasl_username and settings.kafka_security_protocol.startswith("SASL")
    return f"User:{settings.kafka_sasl_username or ''}" if is_named else f"User:fairway-{role}"
