"""`clear_tmp` under AWS's runtime clients for other languages than the engine's own tests use."""
