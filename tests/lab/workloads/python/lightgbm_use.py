# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Trains a model, and predicts."""

import lightgbm
import numpy
from outcome import told


def use():
    rows = numpy.arange(200.0).reshape(100, 2)
    data = lightgbm.Dataset(rows, label=rows[:, 0] > 100)
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, num_boost_round=5)
    return len(model.predict(rows))


handler = told(use)
