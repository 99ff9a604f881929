"""What happens: the engine that decides, and the shell that consumes, commits and shows."""
