"""Prepares a checkout: compiles `native/` into `binaries/`, and fetches the Lambda emulator for the tests.

Not part of the wheel. The hatch build hook loads this package without installing the distribution, so nothing
here imports the packages that it builds.
"""
