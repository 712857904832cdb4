"""Properties of the core, proved for every small input by the model checker CBMC: `make proofs`."""
