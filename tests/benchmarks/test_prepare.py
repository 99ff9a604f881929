"""Programs of others are of the versions that they are compared with."""

from xml.etree import ElementTree

from streams.dev import jars, java
from tests.benchmarks import prepare

_XML = {"m": "http://maven.apache.org/POM/4.0.0"}


def test_kafka_streams_is_of_the_version_of_the_broker() -> None:
    pom = ElementTree.parse(prepare.BASELINES / "java" / "pom.xml")
    found = {
        entry.findtext("m:artifactId", "", _XML): entry.findtext("m:version", "", _XML)
        for entry in pom.iterfind("m:dependencies/m:dependency", _XML)
    }
    locked = dict(jar.coordinates.split(":")[1:] for jar in jars.read_lock(java.LOCK))
    assert found["kafka-streams"] == locked["kafka-clients"]
    assert found["jackson-databind"] == locked["jackson-databind"]
