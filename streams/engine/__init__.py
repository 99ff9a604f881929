"""The pure core: decides what a journey does. No I/O, no clock, no chance."""
