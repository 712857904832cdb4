# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Validates an event."""

import datetime

from outcome import told
from pydantic import BaseModel, ValidationError


class Order(BaseModel):
    id: int
    at: datetime.datetime
    items: list[str] = []


def use():
    try:
        Order.model_validate({"id": "x"})
    except ValidationError as error:
        return error.error_count(), Order.model_validate_json(
            '{"id": 1, "at": "2026-01-01T00:00:00Z"}'
        ).model_dump_json()


handler = told(use)
