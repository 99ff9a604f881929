"""The log of a process: whoever writes a line, it comes out alike."""
