"""Who was refused lately, whichever customer it was."""

import sqlalchemy as sa
from alembic import op

revision = "007"
down_revision = "006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    columns = ["tenant_id", "at", "offset"]
    op.create_index("ix_activity_refused_at", "activity", columns, postgresql_where=sa.text("refused"))
