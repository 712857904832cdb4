"""psycopg: one query; the second argument is the `sslmode`."""

import sys

import psycopg
from attempt import attempt


def talk(host: str, port: int) -> object:
    where = {"host": host, "port": port, "dbname": "postgres", "user": "postgres", "sslmode": sys.argv[2]}
    with psycopg.connect(**where, connect_timeout=10) as connection:
        row = connection.execute("select ssl from pg_stat_ssl where pid = pg_backend_pid()").fetchone()
    return row and {"encrypted": row[0]}


attempt(talk)
