"""One partition's life: its task, the queue of its input, its transactions, its timers, its restore."""
