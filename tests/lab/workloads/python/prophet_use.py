# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Fits a forecast by a compiled model, a program that comes along."""

import logging

import pandas
from outcome import told
from prophet import Prophet

logging.getLogger("cmdstanpy").setLevel(logging.ERROR)


def use():
    days = pandas.date_range("2026-01-01", periods=30)
    model = Prophet(weekly_seasonality=False, yearly_seasonality=False, daily_seasonality=False)
    model.fit(pandas.DataFrame({"ds": days, "y": range(30)}))
    return len(model.predict(model.make_future_dataframe(periods=2)))


handler = told(use)
