# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Makes a PDF."""

import io

from outcome import told
from reportlab.pdfgen.canvas import Canvas


def use():
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.drawString(100, 100, "text")
    canvas.save()
    return file.getvalue()[:4].decode()


handler = told(use)
