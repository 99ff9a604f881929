"""Campaigns are unique within a tenant: another's can't be taken, nor found out."""

from alembic import op

revision = "009"
down_revision = "008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_journeys_campaign_id", "journeys")
    op.create_unique_constraint("uq_journeys_tenant_id_campaign_id", "journeys", ["tenant_id", "campaign_id"])
