# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Connects to Elasticsearch, where nobody listens."""

from elasticsearch import Elasticsearch
from outcome import told


def use():
    return str(Elasticsearch("http://closed.example:9200", request_timeout=3, max_retries=0).info())


handler = told(use)
