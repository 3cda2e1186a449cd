"""Send sound to a site whose `audio.source` is "mqtt".

arecord -q -t raw -f S16_LE -r 16000 -c 1 | python send_audio.py BROKER PORT SITE
"""

import sys

import paho.mqtt.client as mqtt

BLOCK_BYTES = 2560  # 80 ms of 16 kHz, mono, int16

host, port, site = sys.argv[1], int(sys.argv[2]), sys.argv[3]
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
client.connect_async(host, port)  # again and again, until the broker is there
client.loop_start()
while block := sys.stdin.buffer.read(BLOCK_BYTES):
    if len(block) % 2 == 0:
        client.publish(f"edgeasr/{site}/audio", block, qos=0)
client.disconnect()
client.loop_stop()
