# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Blurs and encodes an image, by its threads."""

import cv2
import numpy
from outcome import told


def use():
    image = cv2.GaussianBlur(numpy.full((400, 400, 3), 100, numpy.uint8), (9, 9), 0)
    return bytes(cv2.imencode(".png", image)[1][:4])[1:].decode()


handler = told(use)
