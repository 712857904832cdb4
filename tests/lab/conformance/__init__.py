"""Behaviour neutrality: other people's tests of each runtime without the shield, and with it in `allow` and in `alert`.

`make conformance`. Every module runs in an emulated Lambda sandbox of its own for each run, and the outcomes are
compared test by test. `suites` says what a suite is, `python_suite`, `node_suite` and `java_suite` are the three,
`comparing` runs and compares them.
"""
