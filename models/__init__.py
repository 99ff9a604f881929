"""What things are: journeys, customers, messages, durations. No I/O outside rows.py and migrations/."""
