"""The function of `ShieldFindings`: from lines of the shield to one event for each new finding. Needs boto3 alone."""
