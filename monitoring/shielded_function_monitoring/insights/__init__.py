"""Questions about the shield's lines: CloudWatch answers them as text of Logs Insights, SQLite as SQL.

A question is one `Query` of `queries`. Lines of files are put into a table in a temporary file (`Lines`); the results
of Logs Insights for several log groups or times are put together in another (`CombinedRows`). Both hold little memory.

    >>> from shielded_function_monitoring.insights import queries
    >>> from shielded_function_monitoring.insights.lines import Lines
    >>> from shielded_function_monitoring.insights.records import records
    >>> line = ('{"function_shield":true,"function":"checkout","policy":"read_write_tmp","count":1,'
    ...         '"timestamp":"2026-11-24T13:37:00.123456Z"}')
    >>> lines = Lines([query := queries.timeline()])
    >>> lines.add(records([line]))
    >>> list(lines.rows(query))
    [{'function': 'checkout', 'policy': 'read_write_tmp', 'period': '2026-11-24 00:00:00.000', 'violations': '1'}]

Syntax: https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""
