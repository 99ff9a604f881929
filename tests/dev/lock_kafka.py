"""Write the locked list of a Kafka's jars, by Maven: python -m tests.dev.lock_kafka FILE VERSION."""

import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_POM = """<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>fairway</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{version}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>{version}</version>
      <exclusions>
        <exclusion><groupId>org.apache.kafka</groupId><artifactId>connect-runtime</artifactId></exclusion>
        <exclusion><groupId>com.fasterxml.jackson.jakarta.rs</groupId><artifactId>*</artifactId></exclusion>
      </exclusions>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""


def main(target: Path, version: str) -> None:
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        pom = folder / "pom.xml"
        pom.write_text(_POM.format(version=version))
        name = (f"{_PLUGIN}:list", f"-DoutputFile={folder / 'list'}")
        copy = (f"{_PLUGIN}:copy-dependencies", f"-DoutputDirectory={folder}", "-Dmdep.prependGroupId=true")
        for goal in (name, copy):
            subprocess.run(["mvn", "-q", "-B", "-f", str(pom), *goal], check=True)
        listed = (folder / "list").read_text().splitlines()
        lines = sorted(_line(entry.split(), folder) for entry in listed if ":jar:" in entry)
    head = f"# Kafka {version} without Connect, as tests/dev/lock_kafka.py wrote it: coordinates, bytes, SHA-256.\n"
    target.write_text(head + "".join(lines))


def _line(found: list[str], folder: Path) -> str:
    group, artifact, _, version, *_ = found[0].split(":")
    content = (folder / f"{group}.{artifact}-{version}.jar").read_bytes()
    return f"{group}:{artifact}:{version} {len(content)} {sha256(content).hexdigest()}\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
