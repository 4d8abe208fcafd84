"""A job says which server it is of, so that another one does not take it for lost.

`cancel_requested` goes: nobody read it, since a job is cancelled by its own server.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_column("jobs", "cancel_requested")
    op.add_column("jobs", sa.Column("server", sa.Integer(), nullable=True))
