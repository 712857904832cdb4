"""paho-mqtt: one message is published, and comes back through a subscription."""

import queue

from attempt import attempt
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion


def talk(host: str, port: int) -> object:
    heard: queue.Queue[str] = queue.Queue()

    def on_connect(client: Client, *_: object) -> None:
        client.subscribe("topic", qos=1)

    def on_subscribe(client: Client, *_: object) -> None:
        client.publish("topic", "message", qos=1)

    def on_message(_client: Client, _data: object, message: MQTTMessage) -> None:
        heard.put(message.payload.decode())

    client = Client(CallbackAPIVersion.VERSION2)
    client.on_connect, client.on_subscribe, client.on_message = on_connect, on_subscribe, on_message
    client.connect(host, port)
    client.loop_start()
    try:
        return heard.get(timeout=10)
    finally:
        client.disconnect()
        client.loop_stop()


attempt(talk)
