"""`/api/v1`: journeys, enrolments, customers and events, for programs; described in /openapi.json."""

from streams.web.api.application import make_api

__all__ = ["make_api"]
