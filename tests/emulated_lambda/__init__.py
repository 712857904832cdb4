"""An emulated AWS Lambda sandbox, and the small internet of documentation addresses that it can reach.

Nothing is imported here: `keeper` and `enter` run as programs of their own and must start fast. Use

* `emulated_lambda.sandbox.Sandbox` to run a command as Lambda would run it,
* `emulated_lambda.function.EmulatedFunction` to invoke a function from `cdk.out`,
* `emulated_lambda.demo.run` for the whole story.

What is measured here is "emulated Lambda", never "Lambda".
"""
