"""Journeys on a virtual clock, without Kafka and Postgres."""
