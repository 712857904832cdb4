"""Policies as mappings and files, and in two parts: variables and a file."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given

from shielded_function.policy import ShieldPolicy, ShieldPolicyError
from shielded_function_runtime import core
from unit.core.policies import POLICIES, TOKEN

pytestmark = pytest.mark.promise("policy.compose")


@given(values=POLICIES)
def test_a_mapping_and_files(tmp_path_factory: pytest.TempPathFactory, values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**values)
    assert ShieldPolicy.from_dict(policy.to_dict()) == policy
    for ending, text in {"json": json.dumps(policy.to_dict()), "yaml": yaml.safe_dump(policy.to_dict())}.items():
        file = tmp_path_factory.getbasetemp() / f"any.{ending}"
        file.write_text(text, encoding="utf-8")
        assert ShieldPolicy.from_file(file) == policy
    assert list(policy.to_dict()) == [field.name for field in dataclasses.fields(policy)]


TOML = """
# for the shop
allow_outbound = ["api.example:443", "*.shop.example"]
allow_aws = ["dynamodb"]
read_handler = "alert"
check_tls_name = false
"""
SHOP = ShieldPolicy(
    allow_outbound=["api.example:443", "*.shop.example"],
    allow_aws=["dynamodb"],
    read_handler="alert",
    check_tls_name=False,
)
YAML, LINES = yaml.safe_dump(SHOP.to_dict()), f"# for the shop\n{SHOP.to_lines()}"
FILES = {"p.yaml": YAML, "p.yml": YAML, "p.toml": TOML, "p.JSON": json.dumps(SHOP.to_dict()), "p.x": LINES, "p": LINES}


@pytest.mark.parametrize("name", FILES)
def test_a_file(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    file.write_text(FILES[name])
    assert ShieldPolicy.from_file(file) == ShieldPolicy.from_file(str(file)) == SHOP


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("p.yaml", "allow_outbond: [a.example]", "'allow_outbond' is not a field; did you mean allow_outbound? ("),
        ("p.toml", "SHIELD_READ_HANDLER = 'alert'", "'SHIELD_READ_HANDLER' is not a field; did you mean read_handler"),
        ("p.json", '{"allow-tmp": []}', "'allow-tmp' is not a field; did you mean allow_tmp? ("),
        ("p.json", '{"zzz": 1}', "'zzz' is not a field; use outbound_connectivity, allow_outbound, "),
        ("p.json", '{"read_handler": "alert", "read_handler": "block"}', "'read_handler' is given twice"),
        ("p.yaml", "read_handler: alert\nread_handler: block", "'read_handler' is given twice"),
        ("p.toml", "read_handler = 'alert'\nread_handler = 'block'", "p.toml cannot be read: "),
        ("p.json", "[1]", "[1] is not a mapping of a policy's fields ("),
        ("p.yaml", "", "None is not a mapping of a policy's fields ("),
        ("p.yaml", "a: [", "p.yaml cannot be read: "),
        ("p.yaml", "!!python/object/apply:os.system [true]", "p.yaml cannot be read: "),
        ("p.json", "{", "p.json cannot be read: "),
        ("p.json", f'{{"allow_outbound": ["{TOKEN}"]}}', "p.json holds a CDK token, which means nothing in a file"),
        ("p.yaml", "read_handler: deny", '"deny" is not a mode; use block, alert or allow'),
        ("p.yaml", "allow_outbound: a.example", "'a.example' is one text; write a list: ['a.example']"),
        ("p.env", "SHIELD_READ_HANDLER=deny", "(line 1, environment variable SHIELD_READ_HANDLER)"),
    ],
)
def test_a_bad_file(tmp_path: Path, name: str, text: str, reason: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_file(tmp_path / name)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "p.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ShieldPolicyError, match=r"p\.toml is not UTF-8 text"):
        ShieldPolicy.from_file(tmp_path / "p.toml")
    for missing, place in ((tmp_path / "missing.toml", ""), (Path("missing.toml"), f" (in {Path.cwd()})")):
        with pytest.raises(ShieldPolicyError) as caught:
            ShieldPolicy.from_file(missing)
        said = f"the policy file {missing} cannot be read: No such file or directory{place}"
        assert str(caught.value) == f"ShieldPolicy: {said}"


def test_yaml_without_pyyaml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "p.yaml").write_text(YAML)
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(
        ShieldPolicyError, match=r"^ShieldPolicy: YAML needs PyYAML: pip install 'shielded-function\[yaml\]'"
    ):
        ShieldPolicy.from_file(tmp_path / "p.yaml")


def to_text(environment: dict[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in environment.items())


@given(values=POLICIES)
def test_an_environment_and_a_file(values: dict[str, Any]) -> None:
    policy = ShieldPolicy(**{"allow_aws": "all", **values})
    environment, lines = policy.to_env_and_lines()
    assert ShieldPolicy.from_env(environment, file=lines) == policy
    assert ShieldPolicy.from_env({**environment, "SHIELD_POLICY_FILE": "/opt/p", "PATH": "/bin"}, file=lines) == policy
    assert core.parse(to_text(environment), lines).lines() == core.parse(policy.to_lines()).lines()
    assert sum(map(len, environment.values())) < 120


def test_tokens_stay_in_the_environment() -> None:
    policy = ShieldPolicy(
        read_handler="alert", allow_outbound=["a.example", TOKEN], allow_tmp=[f"/tmp/{TOKEN}"], allow_aws=["s3"]
    )
    environment, lines = policy.to_env_and_lines()
    modes = ShieldPolicy(read_handler="alert").to_env()
    assert environment == {**modes, "SHIELD_ALLOW_OUTBOUND": TOKEN, "SHIELD_ALLOW_TMP": f"/tmp/{TOKEN}"}
    assert lines == "SHIELD_ALLOW_OUTBOUND=a.example\nSHIELD_ALLOW_AWS=s3\n"
    with pytest.raises(ShieldPolicyError, match="is resolved for each function by the shield"):
        ShieldPolicy(allow_aws="granted").to_env_and_lines()


def test_from_env_names_the_line_of_the_file_only() -> None:
    environment = {"SHIELD_READ_HANDLER": "alert", "SHIELD_POLICY_FILE": "/opt/p"}
    with pytest.raises(ShieldPolicyError, match=r"^ShieldPolicy\.read_handler: given twice; .*\(line 2, "):
        ShieldPolicy.from_env(environment, file="\nSHIELD_READ_HANDLER=block\n")
    with pytest.raises(ShieldPolicyError) as caught:
        ShieldPolicy.from_env({"SHIELD_READ_HANDLER": "deny"}, file="SHIELD_ALLOW_TMP=/tmp/a")
    assert "line" not in str(caught.value)
    with pytest.raises(ShieldPolicyError, match="there is no policy"):
        ShieldPolicy.from_env({"SHIELD_POLICY_FILE": "/opt/p"}, file="")
