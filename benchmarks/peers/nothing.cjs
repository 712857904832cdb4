// Nothing: what is timed is a start.
