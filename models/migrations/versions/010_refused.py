"""What Kafka refuses holds nobody up: definitions that wait to be tried again, runs that ended by an error."""

import sqlalchemy as sa
from alembic import op

revision = "010"
down_revision = "009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("outbox", sa.Column("retry_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("journeys", sa.Column("problem", sa.Text(), nullable=True))
    op.add_column("runs", sa.Column("error", sa.Text(), nullable=True))
