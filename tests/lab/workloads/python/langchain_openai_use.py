# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""A chain that renders a prompt and asks a model; the API answers with something else than a model would."""

from langchain_core.prompts import ChatPromptTemplate
from langchain_openai import ChatOpenAI
from outcome import told

model = ChatOpenAI(model="m", api_key="k", base_url="https://api.example/v1", max_retries=0, timeout=5)
prompt = ChatPromptTemplate.from_messages([("user", "{question}")])


def use():
    rendered = (prompt | (lambda value: value.to_messages()[0].content)).invoke({"question": "why?"})
    return [rendered, model.root_client.models.with_raw_response.list().http_response.json()]


handler = told(use)
