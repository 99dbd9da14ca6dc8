"""Alembic's entry: runs the migrations on the connection that `open_store` holds."""

from alembic import context

from tekil.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
