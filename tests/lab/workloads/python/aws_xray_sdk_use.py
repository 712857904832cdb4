# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportOptionalMemberAccess=false
"""Patches libraries, and records a subsegment."""

from aws_xray_sdk.core import patch_all, xray_recorder
from outcome import told

patch_all()


def use():
    with xray_recorder.in_subsegment("work") as subsegment:
        subsegment.put_annotation("kind", "test")
        return "recorded"


handler = told(use)
