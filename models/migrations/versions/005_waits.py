"""Waits of one tenant or journey counted from the index alone."""

from alembic import op

revision = "005"
down_revision = "004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("DROP INDEX ix_enrollments_due")
    op.execute(
        "CREATE INDEX ix_enrollments_due ON journey_enrollments (waiting_until)"
        " INCLUDE (tenant_id, journey_id) WHERE waiting_until IS NOT NULL"
    )
