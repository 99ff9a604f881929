"""History: activity records on their way from Kafka to Postgres, and in words."""
