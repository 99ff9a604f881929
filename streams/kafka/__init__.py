"""What Kafka needs, and nothing of journeys: clients, topics, fetches, batches, transactions."""
