# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Solves a linear program by CBC, a program that comes along; problem and solution are files in /tmp."""

import pulp
from outcome import told


def use():
    problem = pulp.LpProblem("p", pulp.LpMaximize)
    x = pulp.LpVariable("x", 0, 4)
    problem += 2 * x
    problem.solve(pulp.PULP_CBC_CMD(msg=False))
    return pulp.value(problem.objective)


handler = told(use)
