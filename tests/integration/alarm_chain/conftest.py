"""The promise of the tests here that name no other."""

PROMISE = "alarm.calls"
