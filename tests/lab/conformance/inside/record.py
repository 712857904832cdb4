"""Runs CPython's regrtest and writes each test's outcome to a descriptor: `python record.py FD ARGUMENT...`.

One JSON line for each test as it ends, so that a crash does not take the outcomes before it along. Standard library
only, and for every Python from 3.8 on: this runs in the sandbox, with the interpreter under test.
"""

import contextlib
import fcntl
import importlib
import json
import os
import sys
import unittest

# Top-level code on purpose: a spawned process of `multiprocessing` runs this file again before it imports the tests.
importlib.import_module("test").__path__.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stand_ins"))

_OUT_OF_THE_WAY = 200  # tests reckon with the lowest free descriptors


class Recorder:
    """Stands between unittest's results and their methods."""

    def __init__(self, fd: int) -> None:
        self._fd = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _OUT_OF_THE_WAY)
        os.close(fd)
        self._process = os.getpid()  # a fork of a test writes nothing

    def _write(self, **line: str) -> None:
        if os.getpid() == self._process:
            os.write(self._fd, json.dumps(line).encode() + b"\n")

    def _say(self, outcome: str, case: unittest.TestCase, text: str = "") -> None:
        self._write(id=case.id(), outcome=outcome, text=text)

    def watch(self) -> None:
        """Makes every result write what it is told."""
        for name, outcome in {
            "addSuccess": "passed",
            "addError": "error",
            "addFailure": "failed",
            "addSkip": "skipped",
            "addExpectedFailure": "failed as expected",
            "addUnexpectedSuccess": "passed unexpectedly",
        }.items():
            self._wrap(name, outcome)
        self._wrap_subtests()
        self._wrap_start()

    def _wrap(self, name: str, outcome: str) -> None:
        told = getattr(unittest.TestResult, name)

        def tell(result: unittest.TestResult, case: unittest.TestCase, *more: object) -> None:
            self._say(outcome, case, _text(result, case, more))
            told(result, case, *more)

        setattr(unittest.TestResult, name, tell)

    def _wrap_subtests(self) -> None:
        told = unittest.TestResult.addSubTest

        def tell(result: unittest.TestResult, case: unittest.TestCase, part: unittest.TestCase, error: object) -> None:
            if error is not None:
                self._say("failed", case, f"{part}\n{_text(result, case, (error,))}")
            told(result, case, part, error)  # type: ignore[arg-type]

        unittest.TestResult.addSubTest = tell  # type: ignore[method-assign,assignment]

    def _wrap_start(self) -> None:
        told = unittest.TestResult.startTest

        def tell(result: unittest.TestResult, case: unittest.TestCase) -> None:
            self._say("did not end", case)
            told(result, case)

        unittest.TestResult.startTest = tell  # type: ignore[method-assign,assignment]


def _text(result: unittest.TestResult, case: unittest.TestCase, more: "tuple[object, ...]") -> str:
    """What is behind an outcome: a traceback, or the reason for a skip."""
    if not more:
        return ""
    if isinstance(more[0], str):
        return more[0]
    with contextlib.suppress(Exception):
        return str(result._exc_info_to_string(more[0], case))[-6000:]  # type: ignore[attr-defined]
    return str(more[0])


def main() -> None:
    """Hands over to regrtest, whose exit status becomes this program's."""
    Recorder(int(sys.argv[1])).watch()
    sys.argv[1:] = sys.argv[2:]
    importlib.import_module("test.libregrtest.main").main()


if __name__ == "__main__":
    main()
