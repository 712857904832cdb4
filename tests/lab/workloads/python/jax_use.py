# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Compiles a function with XLA."""

import jax
import jax.numpy as jnp
from outcome import told


@jax.jit
def total(values):
    return (values * values).sum()


def use():
    return float(total(jnp.arange(4.0)))


handler = told(use)
