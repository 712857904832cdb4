"""The examples: one line each. A folder of `examples/` that is in no line fails a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Example:
    """A CDK app in `examples/`.

    Attributes:
        name: its folder.
        functions: how many functions it has, and how many of them are shielded.
        change: a context setting (`name=value`) that changes the template of a shielded function.
        production: construct paths of what it calls production, for the audit.
        linted: the folder in its assembly that cfn-lint reads, where others are like it.
        findings: what the audit finds, by construct path: the rule. Each has a comment that says why it stays.
    """

    name: str
    functions: tuple[int, int]
    change: str = "shield=alert"
    production: tuple[str, ...] = ()
    linted: str = "."
    findings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def folder(self) -> Path:
        """Where its cdk.json is."""
        return FOLDER / self.name


HIDDEN = "new-targets-hidden"

EXAMPLES = (
    Example(
        "checkout",
        functions=(3, 2),
        change="architecture=arm64",
        findings={
            "Checkout/Unshielded": "not-shielded",  # what the demo compares with
            "Checkout/Shielded": HIDDEN,  # of few functions: their alarms alone
            "Checkout/Watched": HIDDEN,
        },
    ),
    Example("whole_app", functions=(10, 6), production=("Live",)),
    Example(
        "sixty_functions",
        functions=(181, 155),
        production=("Live",),
        linted="assembly-Live",
        findings={
            "Beta/Events/TellChat": "shared-host",  # the owner of any webhook of the chat receives the data
            "Live/Events/TellChat": "shared-host",
            "Abroad/Home/Fixed": HIDDEN,  # its log group is imported
        },
    ),
    # Of few functions each: their alarms alone.
    Example(
        "beside_telemetry",
        functions=(2, 2),
        findings={"Telemetry/Traced": HIDDEN, "Telemetry/Watched": HIDDEN},
    ),
    Example("container_image", functions=(1, 1), findings={"Image/Charges": HIDDEN}),
    Example(
        "pipeline",
        functions=(2, 2),
        production=("Pipeline/Production",),
        findings={"Pipeline/Beta/Shop/Charges": HIDDEN, "Pipeline/Production/Shop/Charges": HIDDEN},
    ),
)

# cfn-lint's rules that the CDK's own constructs break, each with what it says of them.
LINT_OF_THE_CDK: Mapping[str, str] = {
    "W3005": "a function depends on its role twice",
    "W7001": "a delivery stream to a bucket brings a mapping of networks, which it does not use",
}
