# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false
"""Reads an object by the client of Google Cloud, from an API in its place."""

from google.auth.credentials import AnonymousCredentials
from google.cloud import storage
from outcome import told


def use():
    options = {"api_endpoint": "https://api.example"}
    client = storage.Client("p", AnonymousCredentials(), client_options=options)
    return client.bucket("b").blob("o").download_as_bytes(retry=None, timeout=5, checksum=None).decode()


handler = told(use)
