"""A real Kafka and a real Postgres on loopback, for development, demo and tests."""
