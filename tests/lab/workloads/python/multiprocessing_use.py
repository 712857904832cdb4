# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Runs a function in a forked process, over a pipe, as Lambda allows it."""

import multiprocessing

from outcome import told

context = multiprocessing.get_context("fork")


def work(pipe):
    pipe.send(sum(range(10)))


def use():
    ours, theirs = context.Pipe()
    process = context.Process(target=work, args=(theirs,))
    process.start()
    found = ours.recv()
    process.join()
    return found


handler = told(use)
