"""A place for the activity records that the history can't hold, and counts of enrolments beside those of visits."""

import sqlalchemy as sa
from alembic import op

revision = "008"
down_revision = "007"
branch_labels = None
depends_on = None


# The years that a datetime has.
_CALENDAR = {
    "activity": ["at"],
    "customers": ["created_at", "updated_at"],
    "journey_enrollments": ["waiting_until", "enrolled_at", "completed_at", "exited_at"],
    "journey_enrollment_steps": ["entered_at", "completed_at"],
}


def upgrade() -> None:
    for table, columns in _CALENDAR.items():
        for column in columns:
            within = f"{column} >= '0001-01-01 00:00Z' AND {column} < '10000-01-01 00:00Z'"
            op.create_check_constraint(f"ck_{table}_{column}", table, within)
    op.create_table(
        "history_parked",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("record", sa.LargeBinary(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", "offset", name="pk_history_parked"),
    )
    op.create_index("ix_history_parked_customer", "history_parked", ["customer_id"], postgresql_using="hash")
    op.add_column(
        "journey_step_counts",
        sa.Column("enrollments", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    # Until now a step was counted once an enrolment, however often it was passed.
    op.execute("UPDATE journey_step_counts SET enrollments = entered WHERE variant NOT IN ('yes', 'no')")
    # What each enrolment's row says of visits makes passages of them; all but the last were completed.
    op.execute(
        "UPDATE journey_step_counts c SET entered = c.entered + more, completed = c.completed + more"
        " FROM (SELECT e.journey_id, e.version, s.step_id, sum(s.visits - 1) AS more"
        " FROM journey_enrollment_steps s JOIN journey_enrollments e ON e.id = s.enrollment_id"
        " WHERE s.visits > 1 GROUP BY 1, 2, 3) v"
        " WHERE (c.journey_id, c.version, c.step_id, c.variant) = (v.journey_id, v.version, v.step_id, '')"
    )
    op.execute(
        "UPDATE journey_step_counts c SET entered = c.entered + more, completed = c.completed + more"
        " FROM (SELECT e.journey_id, e.version, s.step_id, s.result ->> 'variant' AS variant,"
        " sum(s.visits - 1) AS more"
        " FROM journey_enrollment_steps s JOIN journey_enrollments e ON e.id = s.enrollment_id"
        " WHERE s.visits > 1 AND s.result ? 'variant' GROUP BY 1, 2, 3, 4) v"
        " WHERE (c.journey_id, c.version, c.step_id, c.variant) = (v.journey_id, v.version, v.step_id, v.variant)"
    )
