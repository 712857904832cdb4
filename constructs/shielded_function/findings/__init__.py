"""First-seen findings: one event for each new violation."""
