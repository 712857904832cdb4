"""dnspython: it writes its own queries. Further arguments: the record type, and how: `tcp`, `edns`, `at=ADDRESS`."""

import sys

import dns.resolver
from attempt import attempt

KIND, HOW = sys.argv[2], sys.argv[3:]


def talk(host: str, port: int) -> object:
    resolver = dns.resolver.Resolver()
    resolver.port = port
    resolver.lifetime = 10
    if elsewhere := [how.removeprefix("at=") for how in HOW if how.startswith("at=")]:
        resolver.nameservers = elsewhere
    if "edns" in HOW:
        resolver.use_edns(0, 0, 1232)
    return sorted(str(record) for record in resolver.resolve(host, KIND, tcp="tcp" in HOW))


attempt(talk)
