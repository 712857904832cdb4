"""The promise of the tests here that name no other."""

from harness.in_moto import aws as aws

PROMISE = "alarm.simulated"
