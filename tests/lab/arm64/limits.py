"""What cannot be tried on an emulated machine: test by test, and why. All else of the engine's suites runs there."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from shielded_function_emulator.machine import is_emulated

_LOCK_FILTER = "qemu-user does not pass SO_LOCK_FILTER on, by which a connection remembers that it was seen"
_COOKIE = "qemu-user does not pass SO_COOKIE on, by which sockets are told apart"
_KIN = "qemu-user makes no process that shares memory but by vfork, and forks there"
_ZERO_COPY = "qemu-user does not pass SO_ZEROCOPY on"
_CLOSED = "binfmt_misc starts no program by a descriptor that is closed then, as those in /tmp are"
_OUTSIDE = "starts the layer beside the sandbox, where only this machine's own programs run"
_FILTER = "qemu-user has no seccomp(2) for its programs"

# The end of a test's id, without or with its parameters.
LIMITS = {
    "test_evasion.py::test_what_an_evasion_comes_to[own_descriptors_in_the_gates_range]": _KIN,
    "test_evasion.py::test_memory_and_descriptors_are_not_parted": _KIN,
    "test_behaviour.py::test_bad_pointers_get_the_kernels_own_errors[False]": "qemu-user answers EFAULT by itself",
    "test_midst.py::test_nothing_is_used_that_was_not_judged[exec_in_a_vfork_child]": _KIN,
    "test_python.py::test_nothing_gets_looser[in_a_vfork_child]": _KIN,
    "test_queries.py::test_an_allowed_name_is_answered_and_may_be_used[udp_losing_its_server_by_a_copy]": _COOKIE,
    "test_queries.py::test_an_allowed_name_is_answered_and_may_be_used[udp_where_a_connected_one_was]": _COOKIE,
    "test_queries.py::test_nothing_leaves_in_odd_ways[tcp_connected_anew]": _LOCK_FILTER,
    "test_replaced_sockets.py::test_honest_threads_are_not_hindered[an_answer_is_learned_and_used]": _COOKIE,
    "test_replaced_sockets.py::test_honest_threads_are_not_hindered[own_connections_are_handed_over]": _LOCK_FILTER,
    "test_server_names.py::test_a_foreign_name_does_not_arrive[zero_copy]": _ZERO_COPY,
    "test_server_names.py::test_the_attempts_are_real[zero_copy]": _ZERO_COPY,
    "test_server_names.py::test_the_attempts_are_real[handed_over_after_a_question]": _LOCK_FILTER,
    "test_server_names.py::test_a_name_behind_a_record_of_no_known_kind_is_not_seen": _LOCK_FILTER,
    "test_server_names.py::test_what_passes_is_told_as_it_should[allowed_name]": _LOCK_FILTER,
    "test_server_names.py::test_what_had_another_peer_is_not_connected_by_name": _LOCK_FILTER,
    "test_syscalls.py::test_a_child_whose_loader_drops_the_library_is_refused": _OUTSIDE,
    "test_syscalls.py::test_a_filter_that_hides_file_systems_opens_no_memory": _FILTER,
    "test_syscalls.py::test_a_kernel_whose_pages_are_larger_is_refused": _FILTER,
    "test_syscalls.py::test_a_newer_call_is_one_that_this_kernel_does_not_have": _FILTER,
    "test_threat_model.py::test_a_listed_program_that_the_function_can_write": _CLOSED,
}


def reason(nodeid: str) -> str:
    """Why a test cannot be run on the machine under test; empty when it can."""
    whole = nodeid.partition("[")[0]
    found = (why for end, why in LIMITS.items() if nodeid.endswith(f"/{end}") or whole.endswith(f"/{end}"))
    return next(found, "") if is_emulated() else ""


def skip_what_cannot_be_tried(items: Iterable[pytest.Item]) -> None:
    """For pytest_collection_modifyitems."""
    for item in items:
        if why := reason(item.nodeid):
            item.add_marker(pytest.mark.skip(reason=why))
