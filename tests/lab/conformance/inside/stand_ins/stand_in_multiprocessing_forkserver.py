"""As in CPython: the tests of multiprocessing with processes started by `forkserver`."""

import importlib

_tests = importlib.import_module("test._test_multiprocessing")
_tests.install_tests_in_module_dict(globals(), "forkserver")
