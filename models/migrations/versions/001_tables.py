"""The tables of journeys and their history."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "activity",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offset", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("activity_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("club_id", sa.Text(), nullable=True),
        sa.Column("cause", postgresql.JSONB(), nullable=False),
        sa.Column("entries", postgresql.JSONB(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", "at", "offset", name="pk_activity"),
    )
    op.create_index("ix_activity_at", "activity", ["at"], postgresql_using="brin")
    op.create_index(
        "ix_activity_refused",
        "activity",
        ["tenant_id", "customer_id", "at", "offset"],
        postgresql_where=sa.text("refused"),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=True),
        sa.Column("after", postgresql.JSONB(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_tenant_id_id", "audit", ["tenant_id", "id"])
    op.create_table(
        "customers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("attributes", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name="pk_customers"),
    )
    op.create_table(
        "journeys",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("club_id", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("trigger_type", sa.Text(), nullable=False),
        sa.Column("trigger_config", postgresql.JSONB(), nullable=True),
        sa.Column("campaign_id", sa.Text(), nullable=True),
        sa.Column("allow_reentry", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("reentry_after", sa.Text(), nullable=True),
        sa.Column("enrollment_key", sa.Text(), nullable=True),
        sa.Column("max_enrollments", sa.Integer(), nullable=True),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("revision", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("total_enrolled", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_completed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_exited", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("total_failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("activated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("paused_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'PAUSED', 'ARCHIVED')", name="ck_journeys_status"),
        sa.PrimaryKeyConstraint("id", name="pk_journeys"),
        sa.UniqueConstraint("campaign_id", name="uq_journeys_campaign_id"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_journeys_tenant_id_name"),
    )
    op.create_index("ix_journeys_tenant_id_status", "journeys", ["tenant_id", "status"])
    op.create_index("ix_journeys_tenant_id_trigger_type", "journeys", ["tenant_id", "trigger_type"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_outbox"),
    )
    op.create_table(
        "projection_positions",
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("topic", "partition", name="pk_projection_positions"),
    )
    op.create_table(
        "journey_enrollments",
        sa.Column("id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("club_id", sa.Text(), nullable=True),
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("enrollment_key", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("entry_number", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("current_step_id", sa.Text(), nullable=True),
        sa.Column("current_step_number", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("waiting_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exited_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("exit_reason", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("trigger_data", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'COMPLETED', 'EXITED', 'FAILED')", name="ck_journey_enrollments_status"
        ),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_enrollments_journey_id", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customers.tenant_id", "customers.customer_id"],
            name="fk_journey_enrollments_tenant_id_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_journey_enrollments"),
        sa.UniqueConstraint(
            "journey_id", "customer_id", "enrollment_key", "entry_number", name="uq_enrollments_entry"
        ),
    )
    op.create_index("ix_enrollments_customer", "journey_enrollments", ["customer_id", "tenant_id"])
    op.create_index(
        "ix_enrollments_due",
        "journey_enrollments",
        ["waiting_until"],
        postgresql_where=sa.text("waiting_until IS NOT NULL"),
    )
    op.create_index(
        "ix_enrollments_status", "journey_enrollments", ["tenant_id", "journey_id", "status", "enrolled_at", "id"]
    )
    op.create_index(
        "ix_enrollments_step",
        "journey_enrollments",
        ["journey_id", "current_step_id", "id"],
        postgresql_where=sa.text("status = 'ACTIVE'"),
    )
    op.create_table(
        "journey_refusal_counts",
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refused", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_refusal_counts_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "reason", name="pk_journey_refusal_counts"),
    )
    op.create_table(
        "journey_step_counts",
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("entered", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("inside", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("completed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_step_counts_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "version", "step_id", "variant", name="pk_journey_step_counts"),
    )
    op.create_table(
        "journey_steps",
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("step_number", sa.Integer(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("config", postgresql.JSONB(), nullable=False),
        sa.Column("next_step_id", sa.Text(), nullable=True),
        sa.Column("next_step_yes_id", sa.Text(), nullable=True),
        sa.Column("next_step_no_id", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "type IN ('TRIGGER', 'SEND', 'WAIT', 'CONDITION', 'SPLIT', 'UPDATE', 'END')",
            name="ck_journey_steps_type",
        ),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_steps_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "id", name="pk_journey_steps"),
        sa.UniqueConstraint("journey_id", "step_number", name="uq_journey_steps_journey_id_step_number"),
    )
    op.create_table(
        "journey_versions",
        sa.Column("journey_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["journey_id"], ["journeys.id"], name="fk_journey_versions_journey_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("journey_id", "version", name="pk_journey_versions"),
    )
    op.create_table(
        "journey_enrollment_steps",
        sa.Column("enrollment_id", sa.Uuid(as_uuid=False), nullable=False),
        sa.Column("step_id", sa.Text(), nullable=False),
        sa.Column(
            "id",
            sa.Uuid(as_uuid=False),
            sa.Computed("md5(enrollment_id::text || ':' || step_id)::uuid", persisted=True),
            nullable=False,
        ),
        sa.Column("step_number", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("visits", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("entered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint(
            "status IN ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'SKIPPED')",
            name="ck_journey_enrollment_steps_status",
        ),
        sa.ForeignKeyConstraint(
            ["enrollment_id"],
            ["journey_enrollments.id"],
            name="fk_journey_enrollment_steps_enrollment_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("enrollment_id", "step_id", name="pk_journey_enrollment_steps"),
    )
