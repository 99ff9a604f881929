"""How Alembic runs a migration: in the caller's connection and transaction."""

from alembic import context

from models.rows import Row

context.configure(connection=context.config.attributes["connection"], target_metadata=Row.metadata)
context.run_migrations()
