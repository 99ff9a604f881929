"""Goals: when an enrolment reached its own, and how many did, by version, variant and SEND."""

import sqlalchemy as sa
from alembic import op

revision = "011"
down_revision = "010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("journey_enrollments", sa.Column("converted_at", sa.DateTime(timezone=True), nullable=True))
    within = "converted_at >= '0001-01-01 00:00Z' AND converted_at < '10000-01-01 00:00Z'"
    op.create_check_constraint("ck_journey_enrollments_converted_at", "journey_enrollments", within)
    for table, column in (("journeys", "total_converted"), ("journey_step_counts", "converted")):
        count = sa.Column(column, sa.BigInteger(), server_default=sa.text("0"), nullable=False)
        op.add_column(table, count)
    # The row of a version as a whole: everybody who entered came to its first step.
    op.execute(
        "INSERT INTO journey_step_counts (journey_id, version, step_id, variant, enrollments)"
        " SELECT c.journey_id, c.version, '', '', c.enrollments FROM journey_step_counts c"
        " JOIN journey_versions v ON v.journey_id = c.journey_id AND v.version = c.version"
        " WHERE c.variant = '' AND c.step_id = v.definition -> 'steps' -> 0 ->> 'id'"
    )
