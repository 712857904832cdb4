"""`ShieldPerimeter`: network rules around the functions of a VPC, derived from the policies of their shields.

Code in a function's process may undo the rules of its engine, but not the rules of AWS's network. The policies become
rules of Route 53 Resolver DNS Firewall, of security groups and of VPC endpoints. Decisions are pure (`entries`,
`names`, `firewall`, `egress`, `residents`, `grants`); other modules read or change the CDK.
"""
