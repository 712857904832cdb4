# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks an API as OpenAI's."""

import openai
from outcome import told

client = openai.OpenAI(api_key="k", base_url="https://api.example/v1", max_retries=0, timeout=5)


def use():
    return client.models.with_raw_response.list().http_response.json()


handler = told(use)
