"""Home Assistant itself, run by tests with the Python that has it installed (3.13 or newer).

    python home_assistant_core.py FOLDER PORT

Starts a bare Home Assistant with its MQTT integration on the broker at PORT, then serves requests,
one JSON per line: {"states": true} answers every state with attributes, {"call": [domain, service,
{...}]} calls a service, {"automations": YAML} adds automations, with lights that only note what
is asked of them, {"called": true} answers these notes, {"logged": true} answers warnings and
errors, {"stop": true} ends.
"""

import asyncio
import json
import logging
import sys
from pathlib import Path

import yaml
from homeassistant import bootstrap, loader
from homeassistant.auth import auth_manager_from_config
from homeassistant.config_entries import ConfigEntries, ConfigEntry
from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.helpers import entity_registry
from homeassistant.setup import async_setup_component

FOLDER, PORT = Path(sys.argv[1]), int(sys.argv[2])
LOGGED: list[str] = []


CALLED: list[str] = []


async def note(call: ServiceCall) -> None:
    CALLED.append(f"{call.domain}.{call.service} {call.data.get('entity_id')}")


class Keep(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        LOGGED.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def write_configuration() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "configuration.yaml").write_text("")
    entry = {
        "entry_id": "mqtt-under-test", "domain": "mqtt", "title": "broker", "unique_id": None,
        "data": {"broker": "127.0.0.1", "port": PORT},
        "options": {"discovery": True, "discovery_prefix": "homeassistant"},
        "source": "user", "version": 1, "minor_version": 2,
        "created_at": "2026-01-01T00:00:00+00:00", "modified_at": "2026-01-01T00:00:00+00:00",
        "disabled_by": None, "subentries": [],
        "pref_disable_new_entities": False, "pref_disable_polling": False, "discovery_keys": {},
    }  # fmt: skip
    storage = FOLDER / ".storage"
    storage.mkdir(exist_ok=True)
    (storage / "core.config_entries").write_text(
        json.dumps({"version": 1, "minor_version": 5, "key": "core.config_entries",
                    "data": {"entries": [entry]}})
    )  # fmt: skip


async def main() -> None:
    write_configuration()
    logging.getLogger().addHandler(Keep(level=logging.WARNING))
    hass = HomeAssistant(str(FOLDER))
    loader.async_setup(hass)
    hass.config.skip_pip = True
    hass.config_entries = ConfigEntries(hass, {})
    await bootstrap.async_load_base_functionality(hass)
    hass.auth = await auth_manager_from_config(hass, [], [])
    # The MQTT integration asks for a web server only to upload certificates.
    for domain in ("http", "file_upload"):
        hass.config.components.add(domain)
    for domain in (*bootstrap.CORE_INTEGRATIONS, "mqtt"):
        await async_setup_component(hass, domain, {})
    await hass.async_start()
    entry: ConfigEntry = hass.config_entries.async_entries("mqtt")[0]
    answer({"started": str(entry.state)})
    reader = asyncio.StreamReader()
    await hass.loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        request = json.loads(line)
        if "stop" in request:
            break
        answer(await served(hass, request))
    await hass.async_stop(force=True)


async def served(hass: HomeAssistant, request: dict) -> object:
    if "states" in request:
        return states(hass)
    if "automations" in request:
        CALLED.clear()
        for name in ("turn_on", "turn_off"):
            hass.services.async_register("light", name, note)
        config = {"automation": yaml.safe_load(request["automations"])}
        return {"ok": await async_setup_component(hass, "automation", config)}
    if "call" in request:
        domain, service, fields = request["call"]
        try:
            await hass.services.async_call(domain, service, fields, blocking=True)
        except Exception as error:
            return {"ok": False, "error": repr(error)}
        return {"ok": True}
    return CALLED if "called" in request else LOGGED


def states(hass: HomeAssistant) -> dict:
    registry = entity_registry.async_get(hass)
    return {
        state.entity_id: {
            "state": state.state,
            "unique_id": getattr(registry.async_get(state.entity_id), "unique_id", None),
            "attributes": json.loads(json.dumps(dict(state.attributes), default=str)),
        }
        for state in hass.states.async_all()
    }


def answer(fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


asyncio.run(main())
