"""Cases of security/cases whose code is another one on aarch64: a sample, as each takes qemu seconds."""

from __future__ import annotations

import pytest

from security.cases.catalogue import WAYS
from security.cases.checking import BLOCK, check, result, results
from security.cases.suite import Result

__all__ = ["result", "results"]

CHOSEN = [
    *("text_made_writable", "text_mapped_over", "text_unmapped_in_part", "engine_unmapped", "engine_mapped_over"),
    *("memory_anonymous", "memory_made_executable", "memory_file_mapped"),
    *("entry_second_libc", "entry_inline_open_with_variable", "entry_inline_from_memory_file"),
    *("leave_number_with_a_high_bit", "leave_number_that_is_negative"),
    *("log_lowered_limit", "log_of_a_child_with_captured_output", "line_with_a_very_long_path"),
    *("tmp_libc_mkdtemp", "tmp_allowed_temporary_file_through_a_link", "tmp_allowed_opens"),
]


@pytest.mark.parametrize(("name", "attach", "modes"), [(name, WAYS[0], BLOCK) for name in CHOSEN])
def test_a_case(result: Result) -> None:
    check(result)
