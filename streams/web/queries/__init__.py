"""What pages and API ask Postgres."""
