"""CloudFormation, read in one room: a cloud assembly, its templates, and their values. It needs no CDK."""
