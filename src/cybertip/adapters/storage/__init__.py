"""Places for journals and heads: in memory, and in SQLite, PostgreSQL or MariaDB."""
