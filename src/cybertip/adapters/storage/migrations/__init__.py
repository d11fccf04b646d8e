"""The migrations of the tables, which `SqlStorage.upgrade` runs with Alembic."""
