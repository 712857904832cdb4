# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Trains a model, and predicts."""

import numpy
import xgboost
from outcome import told


def use():
    rows = numpy.arange(200.0).reshape(100, 2)
    data = xgboost.DMatrix(rows, label=rows[:, 0] > 100)
    model = xgboost.train({"objective": "binary:logistic", "nthread": 2}, data, 5)
    return len(model.predict(data))


handler = told(use)
