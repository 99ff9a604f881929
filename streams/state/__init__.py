"""One partition's state: an ordered map on disk or in memory, and the store of rows and waits on it."""
