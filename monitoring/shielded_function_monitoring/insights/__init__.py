"""The Logs Insights queries that are used here, as data, and an evaluator of their language's subset.

A query is written once: CloudWatch runs its text over log groups, and the evaluator runs the same query over a file
or stdin, line by line, in memory that is bounded by the number of groups. Tests run the text over real lines.

    >>> from shielded_function_monitoring.insights import evaluate_text
    >>> line = '{"function_shield":true,"function":"checkout","policy":"read_write_tmp","count":2}'
    >>> evaluate_text("stats sum(`count`) as violations by function", [line])
    [{'function': 'checkout', 'violations': '2'}]

Syntax: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from __future__ import annotations

from .combining import CombinedRows
from .conditions import All, AnyOf, Compare, Condition, In, IsPresent, Like
from .evaluating import MAX_GROUPS, Evaluation, Row, evaluate, evaluate_text
from .query import Aggregate, Column, DateFloor, Fields, Filter, Limit, Query, QueryError, Sort, Stats
from .query_parser import parse_query
from .records import Tally, record_of, records
from .spilling import SpillError

__all__ = [
    "MAX_GROUPS",
    "Aggregate",
    "All",
    "AnyOf",
    "Column",
    "CombinedRows",
    "Compare",
    "Condition",
    "DateFloor",
    "Evaluation",
    "Fields",
    "Filter",
    "In",
    "IsPresent",
    "Like",
    "Limit",
    "Query",
    "QueryError",
    "Row",
    "Sort",
    "SpillError",
    "Stats",
    "Tally",
    "evaluate",
    "evaluate_text",
    "parse_query",
    "record_of",
    "records",
]
