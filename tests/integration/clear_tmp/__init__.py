"""`clear_tmp`: what the function made in /tmp during an invocation is gone in the next one, and nothing else."""
