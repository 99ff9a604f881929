"""Whether all is well: what is known at a moment about workers, Kafka and Postgres, and the judgement on it."""
