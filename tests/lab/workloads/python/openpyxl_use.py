# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalMemberAccess=false, reportOptionalSubscript=false
"""Writes a workbook, and reads it."""

import io

import openpyxl
from outcome import told


def use():
    book = openpyxl.Workbook()
    book.active.append([1, "text", "=A1"])
    file = io.BytesIO()
    book.save(file)
    return openpyxl.load_workbook(io.BytesIO(file.getvalue())).active["B1"].value


handler = told(use)
