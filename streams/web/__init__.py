"""Pages for people and JSON for programs, on every worker."""
