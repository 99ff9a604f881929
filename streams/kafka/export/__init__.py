"""The topics of topics.yaml in the words of other tools."""
