"""Journeys and numbers as geometry: pure functions."""
