"""A folder of the function's own code: it looks like a package."""
