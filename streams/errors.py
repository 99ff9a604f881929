"""Errors that end a command with one readable sentence."""


class FairwayError(Exception):
    """Something that the user can mend: the message is a sentence that says how. Exit code 1."""
