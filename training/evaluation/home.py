"""The home that Home Assistant's own test sentences talk about."""

from edgeasr.site import Device, Site


def _devices(domain: str, *names: str) -> tuple[Device, ...]:
    return tuple(Device(name=name, domain=domain) for name in names)


HOME = Site(
    areas=("Kitchen", "Living Room", "Bedroom", "Hallway", "Garage", "Entryway", "Office"),
    floors=("First Floor", "Second Floor", "Upstairs"),
    devices=(
        *_devices("light", "Bedroom Lamp", "Overhead Light", "Play Corner", "Kitchen Light"),
        *_devices("light", "Hallway Light"),
        *_devices("fan", "Ceiling Fan"),
        *_devices("lock", "Front Door"),
        *_devices("cover", "Curtain Left", "Sliding Door", "Bedroom Curtain"),
        Device(name="Garage Door", domain="cover", device_class="garage"),
        *_devices("binary_sensor", "Patio Door", "Office Sensor", "Motion Sensor", "Skylight"),
        *_devices("sensor", "Outside Temperature"),
        *_devices("media_player", "TV"),
        *_devices("climate", "Office Thermostat"),
        *_devices("lawn_mower", "Clippy"),
        *_devices("vacuum", "Rover"),
        *_devices("todo", "Chores", "Trader Joes"),
        *_devices("weather", "London", "Los Angeles"),
        *_devices("scene", "Party Mode"),
        *_devices("script", "Stealth Mode"),
        *_devices("valve", "Main Valve"),
        *_devices("person", "Jane"),
    ),
)
