# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Signs, verifies and encrypts."""

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from outcome import told


def use():
    key = ec.generate_private_key(ec.SECP256R1())
    key.public_key().verify(key.sign(b"text", ec.ECDSA(hashes.SHA256())), b"text", ec.ECDSA(hashes.SHA256()))
    fernet = Fernet(Fernet.generate_key())
    return fernet.decrypt(fernet.encrypt(b"text")).decode()


handler = told(use)
