"""Failures of a journey's enrolments by the second, for the breaker, and why it paused a journey."""

import sqlalchemy as sa
from alembic import op

revision = "013"
down_revision = "012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journey_failures",
        sa.Column("journey_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_failures_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "at", name="pk_journey_failures"),
    )
    op.add_column("journeys", sa.Column("paused_because", sa.Text(), nullable=True))
