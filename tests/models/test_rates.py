"""FAIRWAY_MAX_SENDS: read, and shared out to the partitions (R67)."""

from datetime import timedelta

import pytest

from models.rates import Rate, Share, find_rates, read_rate, read_rates


def test_R67_a_setting_names_rates_by_channel_and_by_tenant() -> None:
    assert read_rates("EMAIL=100/minute, club-7:sms = 5/second".replace(" = ", "=")) == {
        ("", "EMAIL"): Rate(100, "minute"),
        ("club-7", "SMS"): Rate(5, "second"),
    }
    assert read_rates("") == read_rates(" , ") == {}


@pytest.mark.parametrize(
    "text",
    [
        "EMAIL",
        "EMAIL=0/minute",
        "EMAIL=5/fortnight",
        "=5/minute",
        "EMAIL=-1/day",
        "a:b:SMS=1/day",
        "SMS=1/day,sms=2/day",
    ],
)
def test_R67_what_is_no_rate_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"'.+' (is none of the form|names a tenant)"):
        read_rates(text)


def test_R68_a_single_rate_is_read_and_none_is_none() -> None:
    assert read_rate(" 100/hour ") == Rate(100, "hour")
    assert read_rate("100/hour").per == timedelta(hours=1)  # type: ignore[union-attr]
    assert read_rate(" ") is None
    with pytest.raises(ValueError, match=r"^'5' is none of the form number/second, minute, hour or day$"):
        read_rate("5")


def test_R67_a_tenant_s_own_rate_counts_before_that_of_every_tenant() -> None:
    rates = read_rates("EMAIL=100/minute,SMS=9/day,club-7:EMAIL=1/second")
    assert find_rates(rates, "club-7") == {"EMAIL": Rate(1, "second"), "SMS": Rate(9, "day")}
    assert find_rates(rates, "club-8") == {"EMAIL": Rate(100, "minute"), "SMS": Rate(9, "day")}
    assert find_rates(read_rates("club-7:SMS=9/day"), "club-8") == {}


@pytest.mark.parametrize(
    ("rate", "partitions", "share"),
    [
        (Rate(100, "minute"), 1, Share(timedelta(seconds=0.6), 100)),
        (Rate(100, "minute"), 8, Share(timedelta(seconds=4.8), 12)),
        (Rate(3, "second"), 12, Share(timedelta(seconds=4), 1)),
    ],
)
def test_R67_each_partition_has_its_share_and_at_least_one(rate: Rate, partitions: int, share: Share) -> None:
    assert rate.share(partitions) == share
