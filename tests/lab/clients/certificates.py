"""Server certificates as files, for servers that are programs of their own."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shielded_function_emulator.certificates import CertificateAuthority


class CertificateFiles(NamedTuple):
    """What a server is given, PEM."""

    certificate: Path
    key: Path


def write_certificate(authority: CertificateAuthority, names: list[str], folder: Path) -> CertificateFiles:
    """A certificate for a server of these names, and its key, as `server.crt` and `server.key`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    certificate = (
        authority._builder(subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(authority._key, hashes.SHA256())
    )
    files = CertificateFiles(folder / "server.crt", folder / "server.key")
    files.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    files.key.write_bytes(key.private_bytes(serialization.Encoding.PEM, *private))
    return files
