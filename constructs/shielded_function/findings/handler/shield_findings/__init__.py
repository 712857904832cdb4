"""The function of `ShieldFindings`: publishes an event for each new finding in the shield's lines. Needs only boto3."""
