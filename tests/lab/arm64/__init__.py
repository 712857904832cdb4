"""aarch64 on a machine of another architecture: what is fetched for it, and what is tried on it alone."""
