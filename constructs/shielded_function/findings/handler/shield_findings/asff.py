"""A finding in the format of AWS Security Hub's BatchImportFindings. Pure.

https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_LABELS: Final = {5: "CRITICAL", 3: "MEDIUM", 2: "LOW"}
_TITLE, _DESCRIPTION, _FIELD = 256, 1024, 2048


def asff_of(finding: Mapping[str, Any], created: str) -> dict[str, Any]:
    """The AWS Security Finding Format of an OCSF finding.

    Args:
        finding: the result of `finding_of`.
        created: the time, ISO 8601.
    """
    info, resource, unmapped = finding["finding_info"], finding["resources"][0], finding["unmapped"]
    account, region, partition = finding["cloud"]["account"]["uid"], resource["region"], resource["cloud_partition"]
    return {
        "SchemaVersion": "2018-10-08",
        "Id": info["uid"],
        "ProductArn": f"arn:{partition}:securityhub:{region}:{account}:product/{account}/default",
        "GeneratorId": f"shielded-function/{unmapped['policy']}",
        "AwsAccountId": account,
        "Types": ["Unusual Behaviors/Serverless"],
        "CreatedAt": created,
        "UpdatedAt": created,
        "Severity": {"Label": _LABELS[finding["severity_id"]]},
        "Title": info["title"][:_TITLE],
        "Description": info["desc"][:_DESCRIPTION],
        "SourceUrl": info["src_url"],
        "Resources": [
            {"Type": "AwsLambdaFunction", "Id": resource["uid"], "Partition": partition, "Region": region},
        ],
        "ProductFields": {f"shielded-function/{name}": value[:_FIELD] for name, value in unmapped.items() if value},
        "RecordState": "ACTIVE",
    }
