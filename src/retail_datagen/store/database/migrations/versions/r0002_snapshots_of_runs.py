"""A run says how many rows of snapshots it wrote, so that one that is missing is missed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column = sa.Column("snapshots", sa.Integer(), server_default="0", nullable=False)
    op.add_column("runs", column)
