"""Counts by hour, and the index that finds who was sent a command."""

import sqlalchemy as sa
from alembic import op

revision = "002"
down_revision = "001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "journey_hours",
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_hours_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "hour", "what", name="pk_journey_hours"),
    )
    op.create_index("ix_journey_hours_hour", "journey_hours", ["hour"])
    op.create_index(
        "ix_journey_enrollment_steps_message",
        "journey_enrollment_steps",
        [sa.text("(result ->> 'messageId')")],
        postgresql_where=sa.text("result ? 'messageId'"),
    )
