"""What pages and API ask Kafka and the workers."""
