# pyright: basic, reportMissingImports=false
"""Draws a plot and gives its size, as a report would be made."""

import io

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot


def handler(event: object, context: object) -> dict[str, object]:
    figure, axes = pyplot.subplots()
    axes.plot([1, 2, 3], [1, 4, 9])
    axes.set_title("plot")
    image = io.BytesIO()
    figure.savefig(image, format="png")
    pyplot.close(figure)
    return {"done": image.getvalue()[1:4].decode()}
