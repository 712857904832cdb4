# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Draws a plot."""

import io

import matplotlib
from outcome import told

matplotlib.use("Agg")
from matplotlib import pyplot


def use():
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [1, 4, 9])
    axes.set_title("plot")
    image = io.BytesIO()
    figure.savefig(image, format="png")
    pyplot.close(figure)
    return image.getvalue()[1:4].decode()


handler = told(use)
