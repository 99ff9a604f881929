"""Whom a run has to do with, for the worker that goes on with it."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "006"
down_revision = "005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("customer_ids", postgresql.ARRAY(sa.Text()), nullable=True))
    op.add_column("runs", sa.Column("data", postgresql.JSONB(), nullable=True))
    # What was begun before has no list to go on with.
    op.execute("UPDATE runs SET finished_at = now() WHERE finished_at IS NULL")
    op.create_index("ix_runs_open", "runs", ["id"], postgresql_where=sa.text("finished_at IS NULL"))
