# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Asks two APIs: as Anthropic's, and as OpenAI's."""

import anthropic
import openai
from outcome import told

claude = anthropic.Anthropic(api_key="k", base_url="https://api.example", max_retries=0, timeout=5)
client = openai.OpenAI(api_key="k", base_url="https://api.example/v1", max_retries=0, timeout=5)


def use():
    found = [each.models.with_raw_response.list().http_response.json() for each in (claude, client)]
    return [each["answer"] for each in found]


handler = told(use)
