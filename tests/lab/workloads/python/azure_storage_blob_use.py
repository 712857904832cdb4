# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Reads an object by the client of Azure, from an API in its place."""

from azure.storage.blob import BlobClient
from outcome import told


def use():
    client = BlobClient("https://api.example", "container", "blob", retry_total=0, connection_timeout=5)
    return client.get_blob_properties().size


handler = told(use)
