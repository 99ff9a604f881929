"""Settings: what is wrong with one, and names that are none."""

from pathlib import Path

import pytest

from streams.errors import FairwayError
from streams.settings import Settings, find_unknown, read_settings


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        (
            "FAIRWAY_BROKERS",
            "foo",
            "FAIRWAY_BROKERS is 'foo', but must be: "
         "host:port, several separated by commas.",
        ),
        ("FAIRWAY_WEB_PORT", "x", "FAIRWAY_WEB_PORT is 'x', but must be: a valid integer."),
        ("FAIRWAY_WEB_PORT", "70000", "FAIRWAY_WEB_PORT is '70000', but must be: less than or equal to 65535."),
        (
            "FAIRWAY_MAX_FAILURES",
            "many",
            "FAIRWAY_MAX_FAILURES is 'many', but must be: number/second, minute, hour or day.",
        ),
        (
            "FAIRWAY_MAX_SENDS",
            "EMAIL=many/minute",
            "FAIRWAY_MAX_SENDS is 'EMAIL=many/minute', but must be: [tenant:]CHANNEL=number/second, minute, hour "
            "or day, several separated by commas, each once.",
        ),
        ("FAIRWAY_LOG_FORMAT", "x", "FAIRWAY_LOG_FORMAT is 'x', but must be: 'text' or 'json'."),
    ],
)  # fmt: skip
def test_a_wrong_value_is_told_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(FairwayError) as caught:
        read_settings()
    assert str(caught.value) == sentence


def test_a_variable_that_is_no_setting_is_told_with_what_may_be_meant(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "FAIRWAY_BROKER",
        "FAIRWAY_XYZZY",
        "FAIRWAY_TEST_EXAMPLES",
        "fairway_web_port",
        "FAIRWAY_CHANNELS",
    ):
        monkeypatch.setenv(name, "1")
    (tmp_path / ".env").write_text("FAIRWAY_APPID=a\nFAIRWAY_APP_ID=b\nOTHER=c\n")
    assert find_unknown() == [
        "FAIRWAY_APPID is no setting, and has no effect; did you mean FAIRWAY_APP_ID?",
        "FAIRWAY_BROKER is no setting, and has no effect; did you mean FAIRWAY_BROKERS?",
        "FAIRWAY_XYZZY is no setting, and has no effect.",
    ]


def test_lists_are_split_at_commas() -> None:
    settings = Settings(personal_fields=" a, b,,", channels="EMAIL , Sms")
    assert (settings.personal, settings.known_channels) == (frozenset("ab"), ("EMAIL", "Sms"))


def test_a_secret_is_taken_from_the_file_that_is_named_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("postgresql://fairway:secret@db/fairway\n")
    monkeypatch.delenv("FAIRWAY_DATABASE_URL", raising=False)
    monkeypatch.setenv("FAIRWAY_DATABASE_URL_FILE", str(tmp_path / "secret"))
    assert read_settings().database_url == "postgresql://fairway:secret@db/fairway"
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "postgresql://other@db/fairway")
    with pytest.raises(FairwayError, match=r"^FAIRWAY_DATABASE_URL and FAIRWAY_DATABASE_URL_FILE are both set"):
        read_settings()


def test_a_secret_s_file_that_cannot_be_read_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("FAIRWAY_DATABASE_URL", raising=False)
    monkeypatch.setenv("FAIRWAY_DATABASE_URL_FILE", str(tmp_path / "none"))
    with pytest.raises(FairwayError, match=r"^FAIRWAY_DATABASE_URL_FILE names '.*none', which cannot be read: "):
        read_settings()


def test_a_wrong_secret_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAIRWAY_DATABASE_URL", "mysql://fairway:secret@db/fairway")
    with pytest.raises(FairwayError) as caught:
        read_settings()
    assert str(caught.value) == "FAIRWAY_DATABASE_URL must be: postgresql://user:password@host:port/database."


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_says_what_it_means(name: str) -> None:
    description = Settings.model_fields[name].description
    assert description
    assert description.endswith(".")
