"""Java is the wheel's, or the user's own where that is asked for."""

import subprocess

import pytest

from streams.dev import java
from streams.errors import FairwayError


def test_the_wheel_s_java_runs_without_any_other_on_the_path() -> None:
    done = subprocess.run([java.find(), "-version"], capture_output=True, text=True, check=True, env={"PATH": ""})
    assert "openjdk version" in done.stderr


def test_a_java_of_one_s_own_is_looked_for_on_the_path() -> None:
    assert java.find("sh").endswith("/sh")
    with pytest.raises(FairwayError, match=r"'no-such-java' is no program: name a Java of version 17 or later"):
        java.find("no-such-java")
