"""Authored journeys: kept in Postgres, published to the workers, read from files."""
