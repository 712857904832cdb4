#!/var/task/mark
"""The handler whose source read_handler protects: SECRET_OF_THE_HANDLER."""


def handler(event: object, context: object) -> object:
    return event


def fail() -> None:
    raise RuntimeError("on purpose")  # SECRET_OF_THE_HANDLER
