# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Encrypts and decrypts."""

from Crypto.Cipher import AES
from outcome import told


def use():
    cipher = AES.new(b"k" * 16, AES.MODE_GCM)
    data, tag = cipher.encrypt_and_digest(b"text")
    return AES.new(b"k" * 16, AES.MODE_GCM, cipher.nonce).decrypt_and_verify(data, tag).decode()


handler = told(use)
