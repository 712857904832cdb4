"""Learns the narrowest additions to a policy that admit a function's observed calls, from its alert lines.

Pure decisions: the observations (the rows of `queries.observed`), the entries that they make, the offers, and the
questions for a person. Nothing is taken from the line's own `allow`, which any writer of the log can forge: entries are
made from the attempt, by the core that also judges it in the function.

    >>> from shielded_function_monitoring.insights import queries
    >>> from shielded_function_monitoring.insights.lines import Lines
    >>> from shielded_function_monitoring.insights.records import records
    >>> from shielded_function_monitoring.learning import learn, observed_of
    >>> line = ('{"function_shield":true,"v":1,"function":"checkout","region":"eu-west-1",'
    ...         '"timestamp":"2026-11-24T13:37:00.123456Z","level":"WARN","policy":"outbound_connectivity",'
    ...         '"mode":"alert","count":1,"details":{"host":"api.stripe.com","ip":"198.51.100.7","port":443,'
    ...         '"protocol":"tcp","syscall":"connect"},"pid":17,"allow":"api.stripe.com:443"}')
    >>> lines = Lines([query := queries.observed()])
    >>> lines.add(records([line] * 3))
    >>> (log,) = observed_of(lines.rows(query)).functions.values()
    >>> [(entry.field, entry.value, entry.evidence.count) for entry in learn(log).entries]
    [('allow_outbound', 'api.stripe.com:443', 3)]
"""

from __future__ import annotations

from .evidence import Evidence
from .function_log import FunctionLog, Observed
from .learned import Learned
from .learner import Known, learn
from .rows import observed_of

__all__ = ["Evidence", "FunctionLog", "Known", "Learned", "Observed", "learn", "observed_of"]
