"""An emulated AWS Lambda sandbox, and the small internet of documentation addresses that it can reach.

Nothing is imported here: `keeper` and `enter` run as separate programs and must start fast. Use

* `shielded_function_emulator.sandbox.Sandbox` to run a command as Lambda would run it,
* `shielded_function_emulator.function.EmulatedFunction` to invoke a function from `cdk.out`,
* `shielded_function_emulator.demo.run` to run the demo.

Results are labelled "emulated Lambda", never "Lambda".
"""
