"""Shields: their facts, plans and constructs, on a function, a stage or an app."""
