"""Prints what edgeasr hears: python subscriber.py [HOST [PORT]]  (needs paho-mqtt)."""

import json
import sys

import paho.mqtt.client as mqtt


def on_connect(client, *_):
    client.subscribe([("edgeasr/+/transcript", 1), ("edgeasr/+/translation/+", 1)])


def on_message(_client, _userdata, message):
    event = json.loads(message.payload)
    language = event.get("language", "said")
    print(f"{event['site']} {language}: {event['text']} ({event['confidence']:.0%})", flush=True)


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.on_connect, client.on_message = on_connect, on_message
host = sys.argv[1] if len(sys.argv) > 1 else "localhost"
client.connect(host, int(sys.argv[2]) if len(sys.argv) > 2 else 1883)
client.loop_forever()
