"""One worker process: all that knows Faust."""
