"""The handler whose file is looked at."""
