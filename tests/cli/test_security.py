"""What a command says of security goes to standard error, for standard output is what it prints."""

import subprocess
import sys

from streams.settings import environment

_RUN = "from streams.cli import main; main()"


def test_a_warning_is_beside_what_is_printed_and_shows_no_secret() -> None:
    variables = {
        "FAIRWAY_BROKERS": "127.0.0.1:1",
        "FAIRWAY_KAFKA_SECURITY_PROTOCOL": "SASL_PLAINTEXT",
        "FAIRWAY_KAFKA_SASL_MECHANISM": "PLAIN",
        "FAIRWAY_KAFKA_SASL_USERNAME": "golf",
        "FAIRWAY_KAFKA_SASL_PASSWORD": "canary",
    }
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, "topics", "plan", "--json"], capture_output=True, text=True, check=False,
        env=environment() | variables,
    )  # fmt: skip
    assert (ended.returncode, ended.stdout) == (1, "")
    warning, sentence = ended.stderr.splitlines()
    assert "FAIRWAY_KAFKA_SECURITY_PROTOCOL is SASL_PLAINTEXT: whoever can read the network" in warning
    assert sentence.startswith("fairway: No Kafka broker answers at '127.0.0.1:1'")
    assert "canary" not in ended.stderr
