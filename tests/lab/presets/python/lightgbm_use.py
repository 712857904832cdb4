# pyright: basic, reportMissingImports=false
"""Trains a small model, and predicts with it."""

import lightgbm
import numpy


def handler(event: object, context: object) -> dict[str, object]:
    rows = numpy.arange(200.0).reshape(100, 2)
    data = lightgbm.Dataset(rows, label=rows[:, 0] > 100)
    model = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, num_boost_round=5)
    return {"done": len(model.predict(rows))}
