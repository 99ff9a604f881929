"""A database as it is after a million enrolments: twenty journeys, one of them busy, one paused with late waits."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from models.journey import Journey, JourneyStatus
from streams.clock import now as read_clock
from streams.database import upgrade
from streams.journeys.authoring import Author, apply
from tests.browser.stage import read_golf

JOURNEYS, RECORDS = 20, 10_000
BUSY = "Journey 00"
"""Has two fifths of all enrolments; one of its enrolments, "heavy", has 10,000 records."""

FILL = [
    """CREATE TEMP TABLE j AS SELECT id, (row_number() OVER (ORDER BY name) - 1)::int AS k FROM journeys
       WHERE name LIKE 'Journey %'""",
    """INSERT INTO customers (tenant_id, customer_id, attributes, created_at, updated_at)
       SELECT 'pinehurst', 'c-' || n, '{"firstName": "Ann", "membershipTier": "Gold"}', now(), now()
       FROM generate_series(0, :volume * 3 / 10) n""",
    """INSERT INTO journey_enrollments (id, tenant_id, journey_id, version, customer_id, entry_number, status,
           current_step_id, current_step_number, waiting_until, enrolled_at, completed_at, exited_at, exit_reason,
           trigger_data)
       SELECT md5('e' || n)::uuid, 'pinehurst', j.id, 1, 'c-' || (n % (:volume * 3 / 10)), n, status,
              CASE status WHEN 'COMPLETED' THEN 'end' ELSE 'a-week' END, 5,
              CASE WHEN status = 'ACTIVE' AND j.k = 1 THEN now() - n * interval '1 second'
                   WHEN status = 'ACTIVE' THEN now() + (n::bigint * 7919 % 1209600 - 600) * interval '1 second' END,
              now() - n * interval '2 seconds', CASE status WHEN 'COMPLETED' THEN now() END,
              CASE WHEN status IN ('EXITED', 'FAILED') THEN now() END,
              CASE status WHEN 'EXITED' THEN 'manual' WHEN 'FAILED' THEN 'error' END,
              '{"firstName": "Ann", "membershipTier": "Gold"}'
       FROM (SELECT n, CASE WHEN n % 1000 = 999 THEN 'FAILED' WHEN n / 100 % 10 < 4 THEN 'ACTIVE'
                       WHEN n / 100 % 10 < 9 THEN 'COMPLETED' ELSE 'EXITED' END AS status,
                    CASE WHEN n % 5 < 2 THEN 0 ELSE 1 + n % 19 END AS k
             FROM generate_series(1, :volume) n) AS made JOIN j ON j.k = made.k""",
    """INSERT INTO journey_enrollment_steps (enrollment_id, step_id, step_number, status, visits, entered_at,
           completed_at, result)
       SELECT e.id, s.id, s.number,
              CASE WHEN s.id = 'a-week' AND e.status IN ('ACTIVE', 'FAILED') THEN 'IN_PROGRESS'
                   WHEN s.id = 'brisk-letter' THEN 'SKIPPED' ELSE 'COMPLETED' END, 1, e.enrolled_at, e.enrolled_at,
              CASE s.id WHEN 'tone' THEN '{"variant": "warm"}'::jsonb
                   WHEN 'warm-letter' THEN jsonb_build_object('sent', true, 'channel', 'EMAIL', 'messageId',
                        md5('m' || e.entry_number)::uuid) END
       FROM journey_enrollments e, (VALUES ('joined', 1), ('tone', 2), ('warm-letter', 3), ('brisk-letter', 4),
            ('a-week', 5), ('end', 12)) s(id, number) WHERE s.id <> 'end' OR e.status = 'COMPLETED'""",
    """INSERT INTO activity (tenant_id, customer_id, at, "offset", activity_id, cause, entries, refused)
       SELECT 'pinehurst', customer_id, enrolled_at, entry_number, md5('a' || entry_number)::uuid,
              '{"kind": "event", "eventId": "e-1", "eventType": "scl.member.created"}',
              json_build_array(
                  json_build_object('type', 'enrollment.started', 'journeyId', journey_id, 'journeyVersion', 1,
                                    'enrollmentId', id, 'enrollmentKey', '', 'triggerData', '{}'::json),
                  json_build_object('type', 'step.completed', 'journeyId', journey_id, 'enrollmentId', id,
                                    'stepId', 'tone', 'visit', 1, 'result', '{"variant": "warm"}'::json)), false
       FROM journey_enrollments""",
    """INSERT INTO activity (tenant_id, customer_id, at, "offset", activity_id, cause, entries, refused)
       SELECT a.tenant_id, a.customer_id, a.at + n * interval '1 second', :volume + n,
              md5('h' || n)::uuid, a.cause, a.entries, false
       FROM activity a, generate_series(1, :records) n WHERE a."offset" = 5""",
    """INSERT INTO journey_step_counts (journey_id, version, step_id, variant, entered, enrollments, inside,
                                        completed, skipped)
       SELECT e.journey_id, 1, s.step_id, '', count(*) FILTER (WHERE s.status <> 'SKIPPED'),
              count(*) FILTER (WHERE s.status <> 'SKIPPED'),
              count(*) FILTER (WHERE s.status = 'IN_PROGRESS'), count(*) FILTER (WHERE s.status = 'COMPLETED'),
              count(*) FILTER (WHERE s.status = 'SKIPPED')
       FROM journey_enrollment_steps s JOIN journey_enrollments e ON e.id = s.enrollment_id GROUP BY 1, 3""",
    """INSERT INTO journey_hours (journey_id, hour, what, number)
       SELECT id, date_trunc('hour', now()) - h * interval '1 hour', what, 100 FROM j, generate_series(0, 47) h,
              (VALUES ('enrolled'), ('completed'), ('exited'), ('sent:EMAIL'), ('sent:SMS')) w(what)""",
    "UPDATE journeys SET status = 'PAUSED' WHERE name = 'Journey 01'",
    """UPDATE journeys SET total_enrolled = c.all, total_completed = c.completed, total_exited = c.exited,
              total_failed = c.failed
       FROM (SELECT journey_id, count(*) AS all, count(*) FILTER (WHERE status = 'COMPLETED') AS completed,
                    count(*) FILTER (WHERE status = 'EXITED') AS exited,
                    count(*) FILTER (WHERE status = 'FAILED') AS failed
             FROM journey_enrollments GROUP BY 1) c WHERE c.journey_id = journeys.id""",
]  # fmt: skip


async def fill(engine: AsyncEngine, volume: int) -> dict[str, str]:
    """Make the tables and fill them; return the ids of the journeys by name."""
    await upgrade(engine)
    renewal = next(journey for journey in read_golf() if journey.name == "Season renewal")
    journeys = [_copy(renewal, number) for number in range(JOURNEYS)]
    async with engine.begin() as connection:
        for journey in journeys:
            await apply(connection, journey, Author("ann", read_clock()))
        for statement in FILL:
            given = {"volume": volume, "records": RECORDS}
            await connection.execute(
                text(statement), {name: value for name, value in given.items() if f":{name}" in statement}
            )
    async with engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.execute(text("VACUUM ANALYZE"))
    return {journey.name: journey.id for journey in journeys}


def _copy(journey: Journey, number: int) -> Journey:
    name = f"Journey {number:02}"
    id_ = f"00000000-0000-5000-8000-{number:012}"
    return journey.model_copy(update={"id": id_, "name": name, "status": JourneyStatus.ACTIVE})
