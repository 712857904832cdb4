"""Fuzz targets for all that parses, and how they are built and run: `make fuzz`."""
