"""The CDK's tokens in texts: values that are known only at deployment. Without the CDK.

https://docs.aws.amazon.com/cdk/v2/guide/tokens.html, and for the forms
https://github.com/aws/aws-cdk/blob/main/packages/aws-cdk-lib/core/lib/private/encoding.ts.
"""

from __future__ import annotations

import re
from typing import Final

TEXT_TOKEN: Final = re.compile(r"\$\{Token\[[^\]]*\]\}")
LIST_TOKEN: Final = re.compile(r"#\{Token\[[^\]]*\]\}")
NUMBER_TOKEN: Final = re.compile(r"-1\.\d{10,16}e\+289")


def has_token(value: object) -> bool:
    """Whether a value is a text with a token of any form in it, or the beginning of one."""
    return isinstance(value, str) and ("{Token[" in value or NUMBER_TOKEN.search(value) is not None)


def is_list_token(value: object) -> bool:
    """Whether a value is the only element of a token list, as in `param.value_as_list`."""
    return isinstance(value, str) and LIST_TOKEN.fullmatch(value) is not None
