"""Writes `cdk_actions.json`: every action that the CDK's own sources name, which is what its grants are made of.

    python tests/unit/constructs/granted/cdk_actions.py

Committed with the CDK's version; written anew when the pin of aws-cdk-lib moves.
"""

from __future__ import annotations

import json
import re
import tarfile
from importlib.metadata import version
from pathlib import Path

DATA = Path(__file__).with_name("cdk_actions.json")
_ACTION = re.compile(r"""["'`]([a-z][a-z0-9-]{1,40}):([A-Z][A-Za-z0-9]*\*?|\*)["'`]""")
# Not actions: `aws:SourceArn` and its like are condition keys; the others are texts of custom resources.
_NO_PREFIXES = ("aws", "count", "phase")


def extract(package: Path) -> list[str]:
    """The actions in the JavaScript of aws-cdk-lib, as jsii packs it."""
    found: set[str] = set()
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name.endswith(".js") and "/node_modules/" not in member.name:
                file = archive.extractfile(member)
                assert file
                for prefix, name in _ACTION.findall(file.read().decode(errors="replace")):
                    if prefix not in _NO_PREFIXES:
                        found.add(f"{prefix}:{name}")
    return sorted(found)


if __name__ == "__main__":
    import aws_cdk._jsii as packed

    (archive,) = Path(str(packed.__file__)).parent.glob("aws-cdk-lib@*.jsii.tgz")
    data = {"aws-cdk-lib": version("aws-cdk-lib"), "actions": extract(archive)}
    DATA.write_text(json.dumps(data, indent=1) + "\n", encoding="ascii")
