"""Metrics and alarms on the lines of a shield."""
