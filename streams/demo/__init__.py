"""The demo: a golf club's two weeks, told in some seconds."""
