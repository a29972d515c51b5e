"""The database as a reader sees it."""
import psycopg2
import psycopg2.extras


class Db:
	"""One connection, every statement its own transaction. Rows are dicts."""

	def __init__(self, dsn):
		self.connection = psycopg2.connect(dsn, connect_timeout=5)
		self.connection.autocommit = True

	def all(self, sql, *args):
		with self.connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor) as cursor:
			cursor.execute(sql, args or None)
			return [dict(row) for row in cursor.fetchall()] if cursor.description else []

	def one(self, sql, *args):
		"""The only row, or None."""
		rows = self.all(sql, *args)
		assert len(rows) <= 1, f"{len(rows)} rows: {sql}"
		return rows[0] if rows else None

	def value(self, sql, *args):
		row = self.one(sql, *args)
		return next(iter(row.values())) if row else None

	def close(self):
		self.connection.close()
