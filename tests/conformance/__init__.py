"""Behaviour neutrality: CPython's own regression tests without the shield, and with it in `allow` and in `alert`.

`make conformance`, or `PYTHONPATH=tests python -m conformance.run`. Every module runs in an emulated Lambda sandbox of
its own for each run, and the outcomes are compared test by test.
"""
