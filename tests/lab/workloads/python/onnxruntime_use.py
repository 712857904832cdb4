# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Runs a model by its threads."""

import numpy
import onnxruntime
from outcome import told

# y = x + x, as ONNX writes it: the graph with its node, input and output, and the version of the operators.
MODEL = bytes.fromhex(
    "08083a350a0e0a01780a017812017922034164641201675a0f0a0178120a0a08080112040a020802"
    "620f0a0179120a0a08080112040a0208024202100d"
)


def use():
    session = onnxruntime.InferenceSession(MODEL)
    return session.run(None, {"x": numpy.ones(2, numpy.float32)})[0].tolist()


handler = told(use)
