"""docs/security: tests and promises name each other, each limit names a test that is there, the model is one page."""

from __future__ import annotations

import json
import re
from fnmatch import fnmatch

import yaml
from botocore.session import get_session

from integration.docs.pages import ROOT
from integration.docs.promises import (
    NAMED_TEST,
    PromiseError,
    all_tests,
    find_tests,
    limit_tests,
    problems,
    promises,
    sections,
)
from shielded_function.dashboards.changes import ALARMS, FUNCTIONS, LOGS
from shielded_function_monitoring.pattern import parse

SECURITY = ROOT / "docs" / "security"
LIMITS = (SECURITY / "limits.md").read_text()
NOTICES = (SECURITY / "notices.md").read_text()
MODEL = (SECURITY / "model.md").read_text()
SEVERITIES = ("high", "medium", "low")


def test_each_test_has_a_promise_and_each_promise_a_test() -> None:
    assert problems() == []
    assert len({test.file for test in all_tests()}) > 200
    assert len(set(promises().values())) == sum(map(len, sections().values())) > 70


def test_a_pattern_counts_bridges_beside_ctypes() -> None:
    told = re.search(r"^`(\{ .*ctypes.* \})`", LIMITS, re.MULTILINE)
    assert told
    counted = {
        bridges: parse(told[1]).matches(json.dumps({"event": "native", "bridges": bridges}))
        for bridges in ((), ("ctypes",), ("koffi",), ("ctypes", "cffi"), ("cffi", "ctypes"))
    }
    assert [bridges for bridges, counts in counted.items() if not counts] == [(), ("ctypes",)]


def test_every_test_that_a_page_names_exists() -> None:
    pages = {file: NAMED_TEST.findall(file.read_text()) for file in (ROOT / "docs").rglob("*.md")}
    assert sum(map(len, pages.values())) > 100
    missing: list[str] = []
    for file, named in pages.items():
        for name in named:
            try:
                find_tests(name)
            except PromiseError as error:
                missing.append(f"{file.name}: {error}")
    assert missing == []


def test_every_file_of_tests_that_a_page_names_exists() -> None:
    named = re.findall(r"`((?:[\w-]+/)+test_\w+\.py)`", "".join(file.read_text() for file in SECURITY.glob("*.md")))
    assert len(named) > 3
    assert [each for each in named if not (ROOT / "tests" / each).is_file()] == []


def rows_of(text: str) -> list[list[str]]:
    """The cells of each row of the tables that end with tests."""
    rows = [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [row for row in rows if row[-1] != "shown by"]


def test_every_limit_names_a_test() -> None:
    """Except in the ten lines above the first section."""
    summary, _, sections_of_limits = LIMITS.partition("\n## ")
    assert len(rows_of(summary)[1:]) == 10
    rows = rows_of(sections_of_limits) + rows_of(NOTICES)
    assert len(rows) > 60
    assert [row for row in rows if not NAMED_TEST.search(row[-1])] == []


def test_every_limit_has_a_severity_and_a_remedy() -> None:
    """In its row, or in the text above its table."""
    for section in LIMITS.split("\n## ")[1:]:
        if "| hole |" in section or "| way out |" in section:
            for row in rows_of(section):
                assert row[1] in SEVERITIES or "severity of each is low" in section, row
                assert len(row) > 2 or "that is the remedy" in section, row


def test_every_known_limit_is_told() -> None:
    """The tests of what is not stopped: each is in a row."""
    shown = [test for test in all_tests() if test.file.endswith("/test_threat_model.py")]
    assert shown
    assert [test for test in shown if not test.promises and test not in limit_tests()] == []


def test_the_model_is_one_page() -> None:
    text = re.sub("```.*?```", "", MODEL, flags=re.DOTALL)
    assert len(text.split()) <= 1000
    assert "foreign-function interface" in text.partition("## ")[0]


def test_reviewers_see_promises_that_exist() -> None:
    rows = [
        row
        for row in rows_of((SECURITY / "reviewers.md").read_text())
        if re.match(r"T\d{4}|[A-Z]{2}-\d|PCI \d", row[0])
    ]
    assert len(rows) > 20
    assert [row for row in rows if row[-1].strip("`") not in promises()] == []


def test_the_baseline_has_each_requirement_once() -> None:
    """Those that are met follow one another to a link, which another test follows."""
    section = (SECURITY / "reviewers.md").read_text().partition("\n## OpenSSF baseline\n")[2]
    rows = {row[0]: row[1] for row in rows_of(section) if row[0] in ("met", "host", "open")}
    ids = [each for text in rows.values() for each in re.findall(r"\b[A-Z]{2}-\d\d\.\d\d\b", text)]
    assert len(ids) == len(set(ids)) == 43
    assert {each[:2] for each in ids} == {"AC", "BR", "DO", "GV", "LE", "QA", "SA", "VM"}
    assert [each for each in rows["met"].split("; ") if "](" not in each] == ["DO-01.01 user guides"]


def test_no_times_are_promised_without_people() -> None:
    page = (ROOT / "SECURITY.md").read_text()
    answer = page.partition("\n## Our answer\n")[2].partition("\n## ")[0]
    assert ("PLACEHOLDER: " in page) == ("promises no times" in answer)
    assert re.findall(r"\b\d+ (?:working )?(?:days?|weeks?|months?)\b", answer) == []


def test_the_supported_versions_are_those_of_the_package() -> None:
    page, package = (ROOT / "SECURITY.md").read_text(), (ROOT / "pyproject.toml").read_text()
    cdk, python = (
        re.search(pattern, package) for pattern in (r"aws-cdk-lib>=([\d.]+),<3", r'requires-python = ">=(.*)"')
    )
    assert cdk
    assert python
    assert f"aws-cdk-lib from {cdk[1]} on, below 3" in page
    assert f"| Python of the app | {python[1]} and later |" in page


def test_the_table_of_defaults_has_what_the_engine_allows() -> None:
    """Files in /tmp that a runtime needs, and the addresses that Lambda gives in variables."""
    page = (ROOT / "docs/guide/policy.md").read_text()
    rows = {row[0]: row[1] for row in rows_of(page.partition("\n## Allowed by default\n")[2].partition("\n```")[0])}
    native = ROOT / "runtime_layer/native"
    needed = re.findall(r'"(/tmp/[^"]+)", TMP_', (native / "core/runtime_profile.c").read_text())
    listed = re.findall(r"`(/tmp/[^`]+)`", rows["files in /tmp"])
    assert len(needed) > 5
    assert [each for each in needed if not any(fnmatch(each, entry) for entry in listed)] == []
    assert [entry for entry in listed if not any(fnmatch(each, entry) for each in needed)] == []
    facts = re.findall(r'"([A-Z_]+)"', (native / "engine/boot/environment_policy.c").read_text().partition("};")[0])
    kinds = (native / "engine/boot/environment_policy.h").read_text()
    first, last = (int(each) for each in re.findall(r"(?:FIRST|LAST)_ADDRESS = (\d+)", kinds))
    assert re.findall(r"`(AWS_[A-Z_]+)`", rows["Lambda"]) == facts[first : last + 1]


def test_the_insights_have_the_required_fields() -> None:
    """As version 2 of the specification asks; an address is one, or a placeholder that no release passes with."""
    told = yaml.safe_load((ROOT / "security-insights.yml").read_text())
    required = {
        "header": ("schema-version", "last-updated", "last-reviewed", "url"),
        "project": ("name", "administrators", "repositories", "vulnerability-reporting"),
        "repository": ("status", "url", "core-team", "license", "security", "accepts-change-request"),
    }
    assert [each for name, fields in required.items() for each in fields if each not in told[name]] == []
    addresses = [told["header"]["url"], told["repository"]["url"], *(r["url"] for r in told["project"]["repositories"])]
    assert all(re.match(r"https://|PLACEHOLDER: ", each) for each in addresses)


def test_the_statements_deny_each_reported_change() -> None:
    """The policy of model.md: to people and not to deployments, in calls that AWS has, within an SCP's 5,120 bytes."""
    (policy,) = [json.loads(block) for block in re.findall("```json\n(.*?)```", MODEL, re.DOTALL)]
    assert len(json.dumps(policy, separators=(",", ":"))) <= 5120
    denied = {action for statement in policy["Statement"] for action in statement["Action"]}
    services = {"lambda": "lambda", "logs": "logs", "monitoring": "cloudwatch"}
    models = {name: get_session().get_service_data(name)["operations"] for name in services.values()}
    assert denied <= {f"{name}:{operation}" for name, operations in models.items() for operation in operations}
    kinds = (FUNCTIONS, LOGS, ALARMS)
    watched = {f"{services[kind.service]}:{call.rstrip('2')}" for kind in kinds for call in kind.calls.split()}
    assert watched - denied == set()
    for statement in policy["Statement"]:
        assert (statement["Effect"], statement["Resource"]) == ("Deny", "*")
        spared = statement["Condition"]["ArnNotLike"]["aws:PrincipalArn"]
        for role in ("cdk-hnb659fds-cfn-exec-role-1-eu", "Dev"):
            is_spared = any(fnmatch(f"arn:aws:iam::111122223333:role/{role}", each) for each in spared)
            assert is_spared is (role != "Dev")
