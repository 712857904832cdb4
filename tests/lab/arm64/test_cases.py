"""Cases of security/cases whose code is another one on aarch64: a sample, as each takes qemu seconds."""

from __future__ import annotations

import pytest

from security.cases.catalogue import WAYS, cases
from security.cases.checking import BLOCK, Results, check, results_of

CHOSEN = [
    *("text_made_writable", "text_mapped_over", "text_unmapped_in_part", "engine_unmapped", "engine_mapped_over"),
    *("memory_anonymous", "memory_made_executable", "memory_file_mapped"),
    *("entry_second_libc", "entry_inline_open_with_constant", "entry_inline_from_memory_file"),
    *("leave_number_with_a_high_bit", "leave_number_that_is_negative"),
    *("log_close", "log_of_a_child_with_captured_output", "line_path_with_newline", "line_path_with_invalid_utf8"),
    *("storm_of_ten_threads", "tmp_libc_mkdtemp", "tmp_allowed_temporary_file_through_a_link", "tmp_allowed_opens"),
]
results = results_of([case for case in cases() if case.name in CHOSEN])


@pytest.mark.parametrize("name", CHOSEN)
def test_a_case(results: Results, name: str) -> None:
    check(results.of(name, WAYS[0], BLOCK))
