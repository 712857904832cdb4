"""Popular libraries in the emulated Lambda, unshielded and shielded: `make workloads`, for docs/guide/runtimes.md."""
