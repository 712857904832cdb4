# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false
"""Groups a table."""

import polars


def handler(event: object, context: object) -> dict[str, object]:
    table = polars.DataFrame({"kind": ["a", "b", "a"], "value": [1, 2, 3]})
    return {"done": table.group_by("kind").agg(polars.col("value").sum()).sort("kind")["value"].to_list()}
