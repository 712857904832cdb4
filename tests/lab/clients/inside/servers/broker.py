"""An MQTT broker that lets everybody in: `broker.py ADDRESS PORT`."""

import asyncio
import sys

from amqtt.broker import Broker


async def serve() -> None:
    listener = {"type": "tcp", "bind": ":".join(sys.argv[1:])}
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    await Broker({"listeners": {"default": listener}, "plugins": plugins}).start()
    await asyncio.Event().wait()


asyncio.run(serve())
