"""What all parts of an authored journey share."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator
from pydantic.alias_generators import to_camel


class Definition(BaseModel):
    """What all authored parts share: frozen, no unknown fields, camelCase names."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        """Read null as missing, as rules do (R9); but setting an attribute to null is saying something."""
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if value is not None or name == "value"}
