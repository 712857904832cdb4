# pyright: basic, reportMissingImports=false
"""Compiles a function with XLA, and calls it."""

import jax
import jax.numpy as jnp


@jax.jit
def total(values):
    return (values * values).sum()


def handler(event: object, context: object) -> dict[str, object]:
    return {"done": float(total(jnp.arange(4.0)))}
