"""What the API takes and gives: data as an event could bring it, names in camelCase."""

import pytest
from pydantic import ValidationError

from streams.web.api.shapes import ByHand, Many, Page, Published
from streams.web.queries import cursors


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({"a": "\ud800"}, "The data can't be written as UTF-8 JSON."),
        ({"a": 2**70}, "The data holds an integer that does not fit 64 bits."),
        ({"a": "\x00"}, "The data holds the character U+0000, which is not allowed anywhere."),
    ],
)
def test_data_that_no_event_could_bring_is_refused(data: object, text: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ByHand.model_validate({"customerId": "c", "data": data})
    assert refused.value.errors()[0]["msg"] == f"Value error, {text}"


@pytest.mark.parametrize("customer", ["", "a\x00b", "c" * 513])
def test_an_id_that_no_customer_can_have_is_refused(customer: str) -> None:
    with pytest.raises(ValidationError):
        Many.model_validate({"action": "exit", "customerIds": [customer]})


def test_a_page_of_rows_is_a_page_of_objects() -> None:
    page = Page.of(Published, cursors.Page([{"topic": "x"}], "more"))
    assert page.model_dump(by_alias=True) == {"items": [{"topic": "x"}], "next": "more"}
