"""Resources on the alert lines: filters, alarms, dashboards, saved queries, and one facade for an app."""
