"""A package that no entry names."""

import threading

import transport


def leak(host: str) -> None:
    transport.dial(host)


def send(host: str) -> None:
    transport.send(host)


def leak_in_a_thread(host: str) -> None:
    thread = threading.Thread(target=leak, args=(host,))
    thread.start()
    thread.join()


async def leak_soon(host: str) -> None:
    await transport.open_one(host)


def leak_under_a_false_name(host: str) -> None:
    names = {"dial": transport.dial}
    exec(compile("def pay(host): dial(host)", "/var/task/payer.py", "exec"), names)
    names["pay"](host)
