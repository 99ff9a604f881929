"""The SQL of the projection: each statement takes a whole batch, as one JSON text or as arrays."""

from sqlalchemy import TextClause, text

SESSION = {
    # What the last commits before a crash of Postgres wrote is projected again: the position is lost with it.
    "synchronous_commit": "off",
    # Every statement here looks rows up by key; tables without statistics yet must not tempt the planner.
    "enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off",
}  # fmt: skip
"""Settings of the projection's connections."""


def _insert(table: str, columns: str, conflict: str) -> TextClause:
    rows = f"json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
    return text(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM {rows} {conflict}")  # noqa: S608 - constants


def _excluded(columns: str) -> str:
    return ", ".join(f"{column} = excluded.{column}" for column in columns.split(", "))


def _added(table: str, columns: str) -> str:
    return ", ".join(f"{column} = {table}.{column} + excluded.{column}" for column in columns.split(", "))


_MOVING = (
    "status, current_step_id, current_step_number, waiting_until, completed_at, exited_at, exit_reason, detail,"
    " converted_at"
)
_FIXED = (
    "id, tenant_id, club_id, journey_id, version, customer_id, enrollment_key, entry_number, enrolled_at,"
    " trigger_data"
)
_STEP = "step_number, status, visits, entered_at, completed_at, result"
COUNTS = "entered, enrollments, inside, completed, skipped, failed, converted"

PLACE_HOLDERS = _insert(
    "journeys", "id, tenant_id, name, trigger_type, version, deleted_at", "ON CONFLICT DO NOTHING"
)
CUSTOMERS = _insert(
    "customers", "tenant_id, customer_id, created_at, updated_at", "ON CONFLICT (tenant_id, customer_id) DO NOTHING"
)
PROFILES = text(
    "UPDATE customers SET attributes = r.attributes, updated_at = GREATEST(customers.updated_at, r.updated_at)"
    " FROM json_populate_recordset(NULL::customers, CAST(:rows AS json)) AS r"
    " WHERE (customers.tenant_id, customers.customer_id) = (r.tenant_id, r.customer_id)"
)
_BEGINNING = f"{_FIXED.partition(', ')[2]}, {_MOVING}"
BEGUN = _insert(
    "journey_enrollments", f"id, {_BEGINNING}", f"ON CONFLICT (id) DO UPDATE SET {_excluded(_BEGINNING)}"
)
MOVED = text(
    f"UPDATE journey_enrollments AS e SET ({_MOVING}) = ROW(r.{_MOVING.replace(', ', ', r.')})"  # noqa: S608
    " FROM json_populate_recordset(NULL::journey_enrollments, CAST(:rows AS json)) AS r WHERE e.id = r.id"
)
FOLLOWED = text(
    "UPDATE journey_enrollments AS e SET trigger_data = coalesce(e.trigger_data, '{}') || r.trigger_data"
    " FROM json_populate_recordset(NULL::journey_enrollments, CAST(:rows AS json)) AS r WHERE e.id = r.id"
)
STEPS = _insert(
    "journey_enrollment_steps",
    f"enrollment_id, step_id, {_STEP}",
    f"ON CONFLICT (enrollment_id, step_id) DO UPDATE SET {_excluded(_STEP)}",
)
# Arrays, where the others take JSON: its texts are long and JSON themselves, and are then not parsed twice.
ACTIVITY = text(
    'INSERT INTO activity (tenant_id, customer_id, at, "offset", activity_id, club_id, cause, entries, refused)'
    " SELECT tenant, customer, at, position, id::uuid, club, cause::json, entries::json, refused"
    " FROM unnest(CAST(:tenants AS text[]), CAST(:customers AS text[]), CAST(:at AS timestamptz[]),"
    " CAST(:offsets AS bigint[]), CAST(:ids AS text[]), CAST(:clubs AS text[]), CAST(:causes AS text[]),"
    " CAST(:entries AS text[]), CAST(:refused AS boolean[]))"
    " AS r(tenant, customer, at, position, id, club, cause, entries, refused) ON CONFLICT DO NOTHING"
)
STEP_COUNTS = _insert(
    "journey_step_counts",
    f"journey_id, version, step_id, variant, {COUNTS}",
    f"ON CONFLICT (journey_id, version, step_id, variant) DO UPDATE SET {_added('journey_step_counts', COUNTS)}",
)
REFUSALS = _insert(
    "journey_refusal_counts",
    "journey_id, reason, refused",
    f"ON CONFLICT (journey_id, reason) DO UPDATE SET {_added('journey_refusal_counts', 'refused')}",
)
HOURS = _insert(
    "journey_hours",
    "journey_id, hour, what, number",
    f"ON CONFLICT (journey_id, hour, what) DO UPDATE SET {_added('journey_hours', 'number')}",
)
FAILURES = _insert(
    "journey_failures",
    "journey_id, at, number",
    f"ON CONFLICT (journey_id, at) DO UPDATE SET {_added('journey_failures', 'number')}",
)
TOTALS = text(
    "UPDATE journeys AS j SET total_enrolled = j.total_enrolled + r.enrolled,"
    " total_completed = j.total_completed + r.completed, total_exited = j.total_exited + r.exited,"
    " total_failed = j.total_failed + r.failed, total_converted = j.total_converted + r.converted"
    " FROM json_to_recordset(CAST(:rows AS json))"
    " AS r(id uuid, enrolled bigint, completed bigint, exited bigint, failed bigint, converted bigint)"
    " WHERE j.id = r.id"
)
ERASE = [
    text(
        f"DELETE FROM {table}"  # noqa: S608 - constants
        " USING unnest(CAST(:tenants AS text[]), CAST(:customers AS text[])) AS r(tenant, customer)"
        " WHERE tenant_id = r.tenant AND customer_id = r.customer"
    )
    for table in ("customers", "activity", "history_parked")
]
"""Enrolments and their steps go with their customer."""
FIRST_POSITION = text(
    'INSERT INTO projection_positions (topic, partition, "offset") VALUES (:topic, :partition, 0)'
    " ON CONFLICT DO NOTHING"
)
LOCK_POSITION = text(
    'SELECT "offset" FROM projection_positions WHERE topic = :topic AND partition = :partition FOR UPDATE'
)
READ_POSITIONS = text('SELECT partition, "offset" FROM projection_positions WHERE topic = :topic')
MOVE_POSITION = text(
    'UPDATE projection_positions SET "offset" = :offset WHERE topic = :topic AND partition = :partition'
)
READ_ENROLLMENTS = text(
    "SELECT id::text, false, status, current_step_id, current_step_number, waiting_until::text, completed_at::text,"
    " exited_at::text, exit_reason, detail, converted_at::text, tenant_id, club_id, journey_id::text, version,"
    " customer_id, CASE WHEN CAST(:is_late AS boolean) THEN trigger_data END"
    " FROM journey_enrollments WHERE id = ANY(CAST(CAST(:ids AS text[]) AS uuid[]))"
)
READ_GOALS = text(
    "SELECT entry->>'enrollmentId', entry->>'at' FROM activity AS a, json_array_elements(a.entries) AS entry"
    " JOIN unnest(CAST(:ids AS text[])) AS r(id) ON entry->>'enrollmentId' = r.id"
    " WHERE (a.tenant_id, a.customer_id) = (:tenant_id, :customer_id) AND entry->>'type' = 'goal.reached'"
)
"""Goals that were reached before the beginning of their enrolments was written."""
READ_STEPS = text(
    "SELECT s.enrollment_id::text, s.step_id, s.step_number, s.status, s.visits, s.entered_at::text,"
    " s.completed_at::text, s.result::text FROM"
    " unnest(CAST(CAST(:ids AS text[]) AS uuid[]), CAST(:steps AS text[])) AS r(enrollment_id, step_id)"
    " JOIN journey_enrollment_steps AS s ON s.enrollment_id = r.enrollment_id AND s.step_id = r.step_id"
)
READ_PROFILES = text(
    "SELECT c.tenant_id, c.customer_id, c.attributes FROM"
    " unnest(CAST(:tenants AS text[]), CAST(:customers AS text[])) AS r(tenant_id, customer_id)"
    " JOIN customers AS c ON c.tenant_id = r.tenant_id AND c.customer_id = r.customer_id"
)
PRUNE = [
    text("DELETE FROM activity WHERE ctid = ANY(ARRAY(SELECT ctid FROM activity WHERE at < :before LIMIT 5000))"),
    text(
        "DELETE FROM journey_enrollments WHERE id = ANY(ARRAY(SELECT id FROM journey_enrollments"
        " WHERE status <> 'ACTIVE' AND coalesce(completed_at, exited_at) < :before LIMIT 5000))"
    ),
    text(
        "DELETE FROM history_parked"
        " WHERE ctid = ANY(ARRAY(SELECT ctid FROM history_parked WHERE at < :before LIMIT 5000))"
    ),
]
EMPTY = [
    # Positions first: a projector that works now holds one of them, and this waits until it has committed.
    text('UPDATE projection_positions SET "offset" = 0'),
    text("DELETE FROM customers"),
    text("DELETE FROM activity"),
    text("DELETE FROM history_parked"),
    text("DELETE FROM journey_step_counts"),
    text("DELETE FROM journey_refusal_counts"),
    text("DELETE FROM journey_hours"),
    text("DELETE FROM journey_failures"),
    text(
        "UPDATE journeys SET total_enrolled = 0, total_completed = 0, total_exited = 0, total_failed = 0,"
        " total_converted = 0"
    ),
]

READ_PARKED = text(
    'SELECT record FROM history_parked WHERE topic = :topic AND partition = :partition AND "offset" = :offset'
    " FOR UPDATE"
)
LIST_PARKED = text(
    'SELECT partition, "offset", at, tenant_id, customer_id, length(record), error FROM history_parked'
    ' WHERE topic = :topic ORDER BY partition, "offset"'
)
UNPARK = text('DELETE FROM history_parked WHERE topic = :topic AND partition = :partition AND "offset" = :offset')
SEEN_BEFORE = text(
    "UPDATE customers SET created_at = LEAST(created_at, :at)"
    " WHERE tenant_id = :tenant_id AND customer_id = :customer_id"
)
IS_LATE = text(
    "SELECT EXISTS (SELECT FROM activity WHERE tenant_id = :tenant_id AND customer_id = :customer_id"
    ' AND "offset" > :offset)'
)
PARK = text(
    'INSERT INTO history_parked (topic, partition, "offset", tenant_id, customer_id, record, error)'
    " VALUES (:topic, :partition, :offset, :tenant_id, :customer_id, :record, :error)"
    ' ON CONFLICT (topic, partition, "offset") DO UPDATE SET error = excluded.error'
)
