"""Popular libraries in the emulated Lambda, unshielded and shielded: `make workloads` writes docs/compatibility.md."""
