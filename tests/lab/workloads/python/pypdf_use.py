# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Makes a PDF, and reads it."""

import io

from outcome import told
from pypdf import PdfReader, PdfWriter


def use():
    writer, file = PdfWriter(), io.BytesIO()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    writer.write(file)
    return len(PdfReader(file, password="secret").pages)


handler = told(use)
