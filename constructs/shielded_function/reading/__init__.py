"""The constructs of an app, read: their kinds, paths, references and properties, in few messages to the CDK."""
