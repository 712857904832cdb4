"""First-seen findings: one event for each new thing that a function did against its policy."""
