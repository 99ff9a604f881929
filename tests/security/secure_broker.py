"""A real broker whose listeners each want another proof of who comes; its authorizer lets nobody do a thing.

The listener SIX is on IPv6's loopback.
"""

import shlex
import subprocess
from pathlib import Path
from typing import Any

from streams.dev import broker, java, processes
from streams.dev.processes import Process
from streams.settings import Settings
from tests import client
from tests.ports import free_ports
from tests.security.certificates import Authority

ROLES = ("worker", "author", "producer", "sender", "operator")
WAYS = {
    "SCRAM": "SASL_SSL",
    "PLAIN": "SASL_SSL",
    "MUTUAL": "SSL",
    "OPEN": "SASL_PLAINTEXT",
    "OAUTH": "SASL_SSL",
    "EXPIRED": "SASL_SSL",
    "SIX": "SASL_PLAINTEXT",
}
_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule required"
_OAUTH = (
    "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required "
    'unsecuredLoginStringClaim_sub="broker";'
)
_MECHANISMS = {
    "SCRAM": ("SCRAM-SHA-512", _SCRAM),
    "EXPIRED": ("SCRAM-SHA-512", _SCRAM),
    "OPEN": ("SCRAM-SHA-256", _SCRAM),
    "SIX": ("SCRAM-SHA-256", _SCRAM),
    "PLAIN": ("PLAIN", " ".join([_PLAIN, *(f'user_{role}="{role}-secret"' for role in ROLES)]) + ";"),
    "OAUTH": ("OAUTHBEARER", _OAUTH),
}
_TOOLS = {"kafka-acls.sh": "org.apache.kafka.tools.AclCommand", "kafka-configs.sh": "kafka.admin.ConfigCommand"}
_JVM = "-Xms64m -Xmx384m -XX:TieredStopAtLevel=1"


class SecureBroker:
    """The broker; whoever comes by its plain listener, `address`, may do everything."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority, self.stranger = Authority(folder, "authority"), Authority(folder, "stranger")
        self._port, self._controller, *ports = free_ports(2 + len(WAYS))
        self._ports = dict(zip(WAYS, ports, strict=True))
        self._cluster = broker.make_cluster_id(folder)
        self._process: Process | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def start(self) -> None:
        users = [
            f"{mechanism}=[name={role},password={role}-secret]"
            for role in ROLES
            for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512")
        ]
        data = self.folder / "kafka"
        self._process = java.run(data, self._cluster, _JVM, self._properties(data), users=users)
        server = broker.Broker(self._port, self._controller, self._process, cluster=self._cluster)
        client.wait_until(lambda: broker.answers(server) or not broker.is_running(server), 90)
        if not broker.is_running(server):
            raise AssertionError((data / "kafka.log").read_text()[-4000:])

    def stop(self) -> None:
        if self._process is not None:
            processes.stop(self._process, 9)

    def brokers(self, way: str, host: str = "localhost") -> str:
        return f"{'[::1]' if way == 'SIX' else host}:{self._ports[way]}"

    def settings(self, way: str, role: str = "worker", **given: Any) -> Settings:
        """Return the settings by which a role comes this way."""
        return Settings(**self.variables(way, role) | given)

    def variables(self, way: str, role: str = "worker") -> dict[str, Any]:
        """Return the same as plain values."""
        found: dict[str, Any] = {"brokers": self.brokers(way), "kafka_security_protocol": WAYS[way]}
        if "SSL" in WAYS[way]:
            found["kafka_ssl_cafile"] = str(self.authority.file)
        if way == "MUTUAL":
            files = self.authority.issue(role)
            return found | {"kafka_ssl_certfile": str(files.cert), "kafka_ssl_keyfile": str(files.key)}
        found["kafka_sasl_mechanism"] = _MECHANISMS[way][0]
        if way == "OAUTH":
            return found
        return found | {"kafka_sasl_username": role, "kafka_sasl_password": f"{role}-secret"}

    def run_tool(self, line: str) -> str:
        """Run one of Kafka's own tools as somebody who may do everything; return what it printed."""
        program, *words = shlex.split(line)
        words[words.index("--bootstrap-server") + 1] = self.address
        command = [java.find(), "-XX:TieredStopAtLevel=1", "-cp", java.class_path(), _TOOLS[program], *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout

    def _properties(self, data: Path) -> dict[str, str]:
        properties = broker.properties(self._port, self._controller, "127.0.0.1", str(data / "data"))
        for way, port in self._ports.items():
            listens, known = ("[::1]", "[::1]") if way == "SIX" else ("127.0.0.1", "localhost")
            properties["listeners"] += f",{way}://{listens}:{port}"
            properties["advertised.listeners"] += f",{way}://{known}:{port}"
            properties["listener.security.protocol.map"] += f",{way}:{WAYS[way]}"
        for way, (mechanism, jaas) in _MECHANISMS.items():
            prefix = f"listener.name.{way.lower()}"
            properties[f"{prefix}.sasl.enabled.mechanisms"] = mechanism
            properties[f"{prefix}.{mechanism.lower()}.sasl.jaas.config"] = jaas
        good = self.authority.issue("broker", ["localhost"])
        expired = self.authority.issue("broker", ["localhost"], days=(-30, -1))
        return properties | {
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(good.both),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self.authority.file),
            "listener.name.expired.ssl.keystore.type": "PEM",
            "listener.name.expired.ssl.keystore.location": str(expired.both),
            "listener.name.mutual.ssl.client.auth": "required",
            "ssl.principal.mapping.rules": "RULE:^CN=(.*?)(,.*)?$/$1/",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            "listener.name.oauth.connections.max.reauth.ms": "600000",
            "broker.rack": "a",
            "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
        }
