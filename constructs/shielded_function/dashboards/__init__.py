"""Resources on the alert lines: filters, alarms, dashboards, saved queries, and `ShieldMonitoring` for an app."""
