# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Trains a forest by joblib's workers, and predicts."""

import numpy
from outcome import told
from sklearn.ensemble import RandomForestClassifier


def use():
    rows = numpy.arange(400.0).reshape(200, 2)
    model = RandomForestClassifier(10, n_jobs=2, random_state=0).fit(rows, rows[:, 0] > 200)
    return int(model.predict(rows).sum())


handler = told(use)
