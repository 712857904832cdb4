# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Makes a thumbnail with a text on it."""

import io

from outcome import told
from PIL import Image, ImageDraw, ImageFont


def use():
    image = Image.new("RGB", (200, 100), "white")
    ImageDraw.Draw(image).text((10, 10), "text", fill="black", font=ImageFont.load_default(20))
    image.thumbnail((100, 100))
    file = io.BytesIO()
    image.save(file, "JPEG")
    return Image.open(io.BytesIO(file.getvalue())).size


handler = told(use)
