"""The settings that say where Kafka is and who we are there; `settings` adds all others."""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

_ADDRESS = r"(\[[0-9a-fA-F:.]+\]|[^:,\s\[\]]+):\d+"
_NONE = SecretStr("")


class KafkaSettings(BaseSettings):
    """How every client of Kafka's reaches the cluster."""

    model_config = SettingsConfigDict(env_prefix="FAIRWAY_", env_file=".env", extra="ignore", frozen=True)

    brokers: str = Field(
        default="127.0.0.1:9092",
        pattern=rf"^{_ADDRESS}(,{_ADDRESS})*$",
        description="Kafka's brokers as host:port, several separated by commas; one that answers is enough.",
    )
    kafka_client_rack: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._/-]*$",
        description="Where this process runs, as the brokers' broker.rack: it then reads from a copy there.",
    )
    kafka_security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        default="PLAINTEXT",
        description="How Kafka is spoken to: PLAINTEXT, SSL by TLS, SASL_SSL by TLS and with a user, SASL_PLAINTEXT"
        " with a user in the clear.",
    )
    kafka_sasl_mechanism: (
        Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"] | None
    ) = Field(
        default=None,
        description="With SASL: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 by user and password, OAUTHBEARER by tokens,"
        " AWS_MSK_IAM by AWS credentials (with the extra msk).",
    )
    kafka_sasl_username: str = Field(default="", description="The user, with PLAIN and SCRAM.")
    kafka_sasl_password: SecretStr = Field(default=_NONE, description="Its password.")
    kafka_sasl_password_file: Path | None = Field(
        default=None, description="A file that holds FAIRWAY_KAFKA_SASL_PASSWORD; set one of the two."
    )
    kafka_ssl_cafile: Path | None = Field(
        default=None,
        description="The certificates, in PEM form, of the CAs that may sign the brokers'; not set: the system's.",
    )
    kafka_ssl_certfile: Path | None = Field(
        default=None, description="Our own certificate in PEM form, where brokers want one (mTLS)."
    )
    kafka_ssl_keyfile: Path | None = Field(
        default=None, description="Its key in PEM form; not set: in the same file."
    )
    kafka_ssl_key_password: SecretStr = Field(default=_NONE, description="The key's password, if it has one.")
    kafka_ssl_key_password_file: Path | None = Field(
        default=None, description="A file that holds FAIRWAY_KAFKA_SSL_KEY_PASSWORD; set one of the two."
    )
    kafka_oauth_token_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s@]+)?$",
        description="With OAUTHBEARER: where tokens are given by the client credentials grant.",
    )
    kafka_oauth_client_id: str = Field(default="", description="The client's id there.")
    kafka_oauth_client_secret: SecretStr = Field(default=_NONE, description="Its secret.")
    kafka_oauth_client_secret_file: Path | None = Field(
        default=None, description="A file that holds FAIRWAY_KAFKA_OAUTH_CLIENT_SECRET; set one of the two."
    )
    kafka_oauth_scope: str = Field(default="", description="The scope to ask for, if the server wants one.")
    kafka_oauth_extensions: str = Field(
        default="",
        pattern=r"^([a-zA-Z]+=[^,=\s]+(,[a-zA-Z]+=[^,=\s]+)*)?$",
        description="What goes to Kafka beside a token; Confluent Cloud wants logicalCluster and identityPoolId.",
    )
    kafka_aws_region: str = Field(
        default="",
        pattern=r"^[a-z0-9-]*$",
        description="With AWS_MSK_IAM: the region; not set: that of the brokers' names.",
    )
