# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Writes a workbook, by temporary files."""

import io

import xlsxwriter
from outcome import told


def use():
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet().write(0, 0, "text")
    book.close()
    return file.getvalue()[:2].decode()


handler = told(use)
