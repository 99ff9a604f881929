"""Why Kafka can't be used, in a sentence that says what to do.

aiokafka keeps causes to itself: that no broker takes us it calls "Unable to bootstrap". So each is asked once more.
"""

import ssl
from collections.abc import Iterator
from typing import Any

from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    GroupAuthorizationFailedError,
    IllegalSaslStateError,
    KafkaConnectionError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    TransactionalIdAuthorizationFailed,
    UnsupportedSaslMechanismError,
)
from aiokafka.protocol.metadata import MetadataRequest

from streams.errors import FairwayError
from streams.kafka.connection import client_arguments
from streams.kafka.tokens import TokenError
from streams.settings import Settings

_TIMEOUT_MS = 5_000
_WRONG_HOST = {62, 64}  # OpenSSL's codes: X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
_EXPIRED, _NOT_YET = 10, 9
_DENIED = {
    TopicAuthorizationFailedError: "the topic",
    GroupAuthorizationFailedError: "the group",
    TransactionalIdAuthorizationFailed: "the transactional id",
    ClusterAuthorizationFailedError: "the cluster",
}
_SECURITY = "FAIRWAY_KAFKA_SECURITY_PROTOCOL"


async def find_fault(settings: Settings) -> FairwayError:
    """Ask every broker why it does not take us; return what the first one says that is there at all."""
    arguments = {name: value for name, value in client_arguments(settings).items() if name != "bootstrap_servers"}
    for host, port, _ in collect_hosts(settings.brokers, randomize=False):
        try:
            connection = await create_conn(host, port, request_timeout_ms=_TIMEOUT_MS, **arguments)
            try:
                await connection.send(MetadataRequest([]))
            finally:
                connection.close()
        except (KafkaError, OSError, TimeoutError) as error:
            if sentence := describe_fault(settings, f"{host}:{port}", error):
                return FairwayError(sentence)
    return FairwayError(
        f"No Kafka broker answers at '{settings.brokers}': start one with 'fairway dev up', or set FAIRWAY_BROKERS."
    )


def describe_fault(settings: Settings, address: str, error: BaseException) -> str | None:
    """Return what to do about a connection that failed with this error; None where nobody is there."""
    for cause in _causes(error):
        match cause:
            case TokenError():
                return str(cause.args[0])
            case SaslAuthenticationFailed():
                return _describe_refusal(settings, address, cause)
            case UnsupportedSaslMechanismError():
                return (
                    f"Kafka at '{address}' does not offer {settings.kafka_sasl_mechanism} there: set "
                    "FAIRWAY_KAFKA_SASL_MECHANISM, or the port, to one of the broker's."
                )
            case IllegalSaslStateError():
                return f"Kafka at '{address}' takes no users there: see {_SECURITY}, and the port."
            case ssl.SSLCertVerificationError():
                return _describe_certificate(address, cause)
            case ssl.SSLError():
                return _describe_tls(settings, address, cause)
            case _:
                pass
    if isinstance(error, ConnectionResetError) and "SSL" in settings.kafka_security_protocol:
        return f"Kafka at '{address}' does not speak TLS there: see {_SECURITY}, and the port."
    if isinstance(error, KafkaConnectionError | ConnectionResetError):
        return _describe_hang_up(settings, address)
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _describe_refusal(settings: Settings, address: str, error: BaseException) -> str:
    mechanism = settings.kafka_sasl_mechanism
    if mechanism == "OAUTHBEARER":
        says = " ".join(map(str, error.args))
        return (
            f"Kafka at '{address}' does not take the token of FAIRWAY_KAFKA_OAUTH_TOKEN_URL ({says}): see "
            "FAIRWAY_KAFKA_OAUTH_SCOPE, and which issuer and audience the broker expects."
        )
    if mechanism == "AWS_MSK_IAM":
        return f"Amazon MSK at '{address}' refuses these AWS credentials: their policy needs kafka-cluster:Connect."
    return (
        f"Kafka at '{address}' refuses the user '{settings.kafka_sasl_username}' with its password ({mechanism}): "
        "see FAIRWAY_KAFKA_SASL_USERNAME, FAIRWAY_KAFKA_SASL_PASSWORD and FAIRWAY_KAFKA_SASL_MECHANISM."
    )


def _describe_certificate(address: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _WRONG_HOST:
        return (
            f"The certificate of Kafka at '{address}' is for another name: write FAIRWAY_BROKERS with a name that "
            "it holds, or give the broker a certificate for this one."
        )
    if error.verify_code == _EXPIRED:
        return f"The certificate of Kafka at '{address}' has expired: the broker needs a new one."
    if error.verify_code == _NOT_YET:
        return f"The certificate of Kafka at '{address}' is not valid yet: see this machine's clock."
    return (
        f"The certificate of Kafka at '{address}' is of a CA that is not trusted here ({error.verify_message}): "
        "name that CA's certificate in FAIRWAY_KAFKA_SSL_CAFILE."
    )


def _describe_tls(settings: Settings, address: str, error: ssl.SSLError) -> str:
    if "ALERT" in str(error.reason):  # the broker's own word
        return _describe_hang_up(settings, address)
    reason = error.reason or "no reason given"
    return f"Kafka at '{address}' does not speak TLS there, or not ours ({reason}): see {_SECURITY}, and the port."


def _describe_hang_up(settings: Settings, address: str) -> str:
    protocol = settings.kafka_security_protocol
    if "SSL" not in protocol:
        return (
            f"Kafka at '{address}' closed the connection, for it expects TLS there, or a user: "
            f"{_SECURITY} is {protocol}, so see whether SSL or SASL_SSL is meant, or another port."
        )
    if settings.kafka_ssl_certfile:
        return (
            f"Kafka at '{address}' closed the connection, for it may not trust the CA of the certificate in "
            "FAIRWAY_KAFKA_SSL_CERTFILE: use one that the broker's truststore knows."
        )
    return (
        f"Kafka at '{address}' closed the connection, for it may want a certificate of ours: "
        "set FAIRWAY_KAFKA_SSL_CERTFILE and FAIRWAY_KAFKA_SSL_KEYFILE."
    )


def describe_denial(error: BaseException) -> str | None:
    """Return which right is missing, by its topic, group or transactional id, if the error comes of that."""
    for cause in _causes(error):
        for kind, what in _DENIED.items():
            if isinstance(cause, kind):
                return (
                    f"This user of Kafka lacks a right on {what}{_name(cause.args)}: "
                    "'fairway topics export --format acl' prints all that are needed."
                )
    return None


def _name(arguments: Any) -> str:
    names = [one for given in arguments for one in ([given] if isinstance(given, str) else given)]
    return " " + ", ".join(f"'{name}'" for name in sorted(names)) if names else ""
