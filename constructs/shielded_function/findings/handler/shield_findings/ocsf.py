"""A violation as a Detection Finding of the Open Cybersecurity Schema Framework (OCSF). Pure.

https://schema.ocsf.io/1.7.0/classes/detection_finding
"""

from __future__ import annotations

import ipaddress
from typing import Any, Final
from urllib.parse import quote

from .violations import DID, FURTHER, NOT_WRITTEN, Violation, object_of, port_of, text_of

SCHEMA: Final = "1.7.0"
SOURCE: Final = "shielded-function"
"""The event's source, and the product."""
DETAIL_TYPE: Final = "Shield Finding"
CLASS: Final = 2004
"""Detection Finding."""

SEVERITIES: Final = {"critical": (5, "Critical"), "warning": (3, "Medium"), "notice": (2, "Low")}
"""OCSF's `severity_id` and `severity`."""
_ACTIONS: Final = {
    "block": {"action_id": 2, "action": "Denied", "disposition_id": 2, "disposition": "Blocked"},
    "alert": {"action_id": 3, "action": "Observed", "disposition_id": 19, "disposition": "Alert"},
}


def severity_of(violation: Violation) -> str:
    """critical, warning or notice, as the line tells: it knows the function's policy. Each line of the shield does."""
    told = text_of(violation.line, "severity")
    return told if told in SEVERITIES else "critical"


def title_of(violation: Violation) -> str:
    """The function, its action, and the target in one line."""
    did, tried = DID[violation.policy]
    action = tried if violation.mode == "block" else did
    if violation.target.startswith(FURTHER):
        return f"{name_of(violation)} {action}, like too many others in one hour to list each"
    if violation.target == NOT_WRITTEN:
        return f"{name_of(violation)} {action} too often to write each"
    return shown(f"{name_of(violation)} {action}" + (f": {violation.target}" if violation.target else ""))


def description_of(violation: Violation) -> str:
    """The title, the package, and the entry that would allow it."""
    who = f" By the package {violation.package}, according to the line." if violation.package else ""
    allow = text_of(violation.line, "allow")
    settles = f" `{allow}` is the entry that would allow it: add it only if you know the caller." if allow else ""
    return shown(f"{title_of(violation)}.{who}{settles}")


def name_of(violation: Violation) -> str:
    """The function's name."""
    return shown(violation.function or "(not named)")


def shown(text: str) -> str:
    """Text of a line with unprintable characters escaped, for chats and pagers."""
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text)


def finding_of(violation: Violation, *, now: int, partition: str, region: str, version: str) -> dict[str, Any]:
    """The finding.

    Args:
        violation: the new one.
        now: the time, in milliseconds since the epoch.
        partition: `aws`, or another.
        region: the region of the log group.
        version: the version of this product.
    """
    severity_id, severity = SEVERITIES[severity_of(violation)]
    seen = violation.time
    delivery = violation.delivery
    title, name = title_of(violation), name_of(violation)
    cloud = {
        "provider": "AWS",
        "region": region,
        "account": {"uid": delivery.account, "type_id": 10, "type": "AWS Account"},
    }
    return {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": CLASS,
        "class_name": "Detection Finding",
        "type_uid": CLASS * 100 + 1,
        "type_name": "Detection Finding: Create",
        "time": now,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 1,
        "status": "New",
        "is_alert": True,
        "message": title,
        **_ACTIONS.get(violation.mode, {}),
        "cloud": cloud,
        "metadata": {
            "version": SCHEMA,
            "profiles": ["cloud", "security_control"],
            "product": {"name": SOURCE, "vendor_name": SOURCE, "version": version},
            "log_name": delivery.log_group,
            "original_time": text_of(violation.line, "timestamp"),
        },
        "finding_info": {
            "uid": violation.identity,
            "title": title,
            "desc": description_of(violation),
            "types": [violation.policy],
            "analytic": {"name": violation.policy, "uid": violation.policy, "type_id": 1, "type": "Rule"},
            "created_time": now,
            "first_seen_time": seen,
            "last_seen_time": seen,
            "data_sources": [delivery.log_group],
            "src_url": log_stream_link(delivery.log_group, delivery.log_stream, seen, region),
        },
        "resources": [
            {
                # Account and region are those of the log group, as a line can name any.
                "uid": f"arn:{partition}:lambda:{region}:{delivery.account}:function:{name}",
                "name": name,
                "type": "AWS::Lambda::Function",
                "version": shown(text_of(violation.line, "version")),
                "region": region,
                "cloud_partition": partition,
                "cloud": cloud,
            }
        ],
        "evidences": [_evidence(violation)],
        "unmapped": {
            "policy": violation.policy,
            "mode": violation.mode,
            "target": shown(violation.target),
            "package": shown(violation.package),
            "log_stream": delivery.log_stream,
        },
    }


def log_stream_link(log_group: str, log_stream: str, at: int, region: str) -> str:
    """The console's page of the log stream, around a time. Names in it are escaped twice."""
    domain = {"cn": "console.amazonaws.cn", "us-gov": "console.amazonaws-us-gov.com"}
    host = next((name for start, name in domain.items() if region.startswith(f"{start}-")), "console.aws.amazon.com")
    group, stream = (quote(quote(name, safe=""), safe="").replace("%", "$") for name in (log_group, log_stream))
    return (
        f"https://{region}.{host}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{stream}"
        f"$3Fstart$3D{at - 60_000}$26end$3D{at + 60_000}"
    )


def _evidence(violation: Violation) -> dict[str, Any]:
    """The line, and its fields that OCSF defines."""
    details = object_of(violation.line, "details")
    found: dict[str, Any] = {"data": violation.line}
    host, address = text_of(details, "host") or text_of(details, "sni"), _address(text_of(details, "ip"))
    if host or address:
        endpoint = {"hostname": host, "ip": address, "port": port_of(details)}
        found["dst_endpoint"] = {key: value for key, value in endpoint.items() if value}
        outbound = 2
        found["connection_info"] = {"direction_id": outbound, "protocol_name": text_of(details, "protocol")}
    if path := text_of(details, "path"):
        regular_file = 1
        found["file"] = {"name": path.rpartition("/")[2] or path, "path": path, "type_id": regular_file}
    return found


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return ""
