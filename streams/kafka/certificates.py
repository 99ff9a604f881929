"""TLS to Kafka: whom we trust, and the certificate that we show, looked at before it is used.

A broker that refuses a certificate only closes the connection, so what can be told here is told here.
"""

import ssl
from pathlib import Path

from streams.clock import now
from streams.errors import FairwayError
from streams.settings import Settings

_CA, _CERT = "FAIRWAY_KAFKA_SSL_CAFILE", "FAIRWAY_KAFKA_SSL_CERTFILE"
_KEY, _PASSWORD = "FAIRWAY_KAFKA_SSL_KEYFILE", "FAIRWAY_KAFKA_SSL_KEY_PASSWORD"


def make_context(settings: Settings) -> ssl.SSLContext:
    """Return the TLS context of all clients; raises FairwayError with the file that can't be used, and why.

    Without a CA file, those of the system are trusted. The broker's host name is always checked.
    """
    context = make_trust(settings)
    cert, key = settings.kafka_ssl_certfile, settings.kafka_ssl_keyfile
    if cert is None and key is None:
        return context
    if cert is None:
        raise FairwayError(f"{_KEY} is set, but {_CERT} is not: name the key's certificate there.")
    _check_dates(cert)
    _read(_KEY, key or cert)
    try:
        context.load_cert_chain(cert, key, lambda: settings.kafka_ssl_key_password.get_secret_value())
    except (ssl.SSLError, OSError, ValueError) as error:
        raise _explain(error, key, settings) from None
    return context


def make_trust(settings: Settings, context: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Return a context that trusts the CA file's certificates: those alone, or besides what it trusts already."""
    file = settings.kafka_ssl_cafile
    if file is None:
        return context or ssl.create_default_context()
    text = _read(_CA, file)
    context = context or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cadata=text.decode("ascii"))
    except (ssl.SSLError, ValueError):
        raise FairwayError(
            f"{_CA} names '{file}', which holds no certificates in PEM form (-----BEGIN CERTIFICATE-----)."
        ) from None
    return context


def _read(setting: str, file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise FairwayError(f"{setting} names '{file}', which can't be read: {error.strerror}.") from None


def _check_dates(file: Path) -> None:
    from cryptography import x509  # takes its time, and most clients show no certificate

    try:
        certificate, *_ = x509.load_pem_x509_certificates(_read(_CERT, file))
    except ValueError:
        raise FairwayError(
            f"{_CERT} names '{file}', which holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)."
        ) from None
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if ends < now():
        raise FairwayError(
            f"The certificate in '{file}' ({_CERT}) has expired ({ends:%Y-%m-%d %H:%M} UTC): renew it."
        )
    if begins > now():
        raise FairwayError(
            f"The certificate in '{file}' ({_CERT}) is not valid before {begins:%Y-%m-%d %H:%M} UTC: "
            "see this machine's clock, or use another."
        )


def _explain(error: Exception, key: Path | None, settings: Settings) -> FairwayError:
    reason = getattr(error, "reason", None) or ""
    where = f"'{key or settings.kafka_ssl_certfile}'"
    if reason == "KEY_VALUES_MISMATCH":
        return FairwayError(f"The key in {where} ({_KEY}) is not that of the certificate in {_CERT}.")
    if b"ENCRYPTED" not in (key or settings.kafka_ssl_certfile or Path()).read_bytes():
        return FairwayError(f"There is no private key in PEM form in {where}: name its file in {_KEY}.")
    if not settings.kafka_ssl_key_password.get_secret_value():
        return FairwayError(f"The key in {where} ({_KEY}) is encrypted: set {_PASSWORD} or {_PASSWORD}_FILE.")
    return FairwayError(f"{_PASSWORD} does not open the key in {where} ({_KEY}).")
