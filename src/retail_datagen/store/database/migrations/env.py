"""Alembic's entrance: the revisions run on the connection that `migrate` hands over."""

from alembic import context

from retail_datagen.store.database.models import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    transactional_ddl=False,
    render_as_batch=True,
)
context.run_migrations()
