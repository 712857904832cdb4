# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalMemberAccess=false
"""Writes a workbook, each sheet of which is a temporary file first."""

import io

import openpyxl


def handler(event: object, context: object) -> dict[str, object]:
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append([1, "text"])
    book.save(file)
    return {"done": file.getvalue()[:2].decode()}
