"""Home Assistant's controls of a site: each sends a command of the daemon and shows what came back.

States come from the topics that the daemon publishes anyway, so a refused wish is never shown.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edgeasr.homeassistant_rows import CONFIG, QUIET, Entity, Slots, slug

__all__ = ["controls"]


def controls(slots: Slots) -> list[Entity]:
    """Return the rows that change something."""
    return [*_switches(slots), *_numbers(slots), *_selects(slots), *_actions(slots)]


def _switches(slots: Slots) -> Iterator[Entity]:
    yield _switch(slots, "mute", "Mute", "mdi:microphone-off", "value_json.muted", "muted")
    for word in slots.words:
        yield _switch(
            slots, f"word_{slug(word)}", f"Wake word {word}", "mdi:ear-hearing",
            f"value_json.words[{word!r}].on", "words", word=word,
        )  # fmt: skip
    yield _switch(
        slots, "recorder", "Flight recorder", "mdi:record-rec", "value_json.recorder", "recorder"
    )


def _switch(  # noqa: PLR0913 - a row
    slots: Slots, key: str, name: str, icon: str, shown: str, setting: str, *, word: str = ""
) -> Entity:
    def change(*, on: bool) -> str:
        return _set({setting: {word: {"on": on}} if word else on})

    return Entity(
        key=key,
        platform="switch",
        name=name,
        options={
            "state_topic": slots.topics.settings,
            "value_template": f"{{{{ 'ON' if {shown} else 'OFF' }}}}",
            "state_on": "ON",
            "state_off": "OFF",
            "command_topic": slots.command("set"),
            "payload_on": change(on=True),
            "payload_off": change(on=False),
            "icon": icon,
            **({} if key == "mute" else CONFIG),
        },
    )


def _numbers(slots: Slots) -> Iterator[Entity]:
    common = {
        "state_topic": slots.topics.settings, "command_topic": slots.command("set"), **CONFIG,
    }  # fmt: skip
    for word, threshold in slots.words.items():
        change = _set({"words": {word: {"threshold": "VALUE"}}})
        yield Entity(
            key=f"threshold_{slug(word)}", platform="number", name=f"Threshold {word}",
            options={
                **common, "min": 0.01, "max": 1, "step": 0.01, "mode": "box", "icon": "mdi:tune",
                "value_template":
                    f"{{{{ value_json.words[{word!r}].threshold | default({threshold}, true) }}}}",
                "command_template": change.replace('"VALUE"', "{{ value }}"),
            },
        )  # fmt: skip
    yield Entity(
        key="end_silence", platform="number", name="End-of-speech silence",
        options={
            **common, "min": 100, "max": 3000, "step": 50, "unit_of_measurement": "ms",
            "device_class": "duration", "mode": "slider", "icon": "mdi:timer-sand",
            "value_template": "{{ value_json.end_silence_ms }}",
            "command_template":
                _set({"end_silence_ms": "VALUE"}).replace('"VALUE"', "{{ value | int }}"),
        },
    )  # fmt: skip


def _selects(slots: Slots) -> Iterator[Entity]:
    common = {
        "state_topic": slots.topics.settings, "command_topic": slots.command("set"), **CONFIG,
    }  # fmt: skip
    words, languages = list(slots.words), list(slots.languages)
    on = "value_json.words.items() | selectattr('1.on') | map('first') | list"
    yield Entity(
        key="wake_word", platform="select", name="Wake word in use",
        options={
            **common, "options": ["all", *words], "icon": "mdi:ear-hearing",
            "value_template": _chosen(on, len(words), nothing="None"),
            "command_template": _set({"words": {word: {"on": word} for word in words}}, words),
        },
    )  # fmt: skip
    if languages:
        choices = {"off": [], **{language: [language] for language in languages}}
        if len(languages) > 1:
            choices["all"] = languages
        yield Entity(
            key="translation_language", platform="select", name="Translate to",
            options={
                **common, "options": list(choices), "icon": "mdi:translate",
                "value_template": _chosen("value_json.targets", len(languages), nothing="off"),
                "command_template":
                    '{"targets": {{ ' + json.dumps(choices) + '[value] | to_json }},'
                    ' "persist": true}',
            },
        )  # fmt: skip


def _chosen(found: str, count: int, *, nothing: str) -> str:
    """Return a template: the only one chosen, `all`, or (a mixture has no name) unknown."""
    return (
        f"{{% set found = {found} %}}"
        f"{{{{ found[0] if found | length == 1 else '{nothing}' if not found"
        f" else 'all' if found | length == {count} else 'None' }}}}"
    )


def _set(changes: Mapping[str, Any], words: Sequence[str] = ()) -> str:
    """Return a body of `command/set`; an `on` that holds a word is true when it was chosen."""
    body = json.dumps({**changes, "persist": True})
    for word in words:
        chosen = f"{{{{ (value in ('all', {word!r})) | to_json }}}}"
        body = body.replace(f'"on": {json.dumps(word)}', f'"on": {chosen}')
    return body


def _actions(slots: Slots) -> Iterator[Entity]:
    buttons = {
        "listen": ("Listen", "listen", "{}", "mdi:microphone-message"),
        "cancel": ("Cancel", "cancel", "{}", "mdi:microphone-off"),
        "false_wake": (
            "That was no wake word", "feedback", '{"kind": "false_wake"}', "mdi:thumb-down",
        ),
    }  # fmt: skip
    for key, (name, command, body, icon) in buttons.items():
        options = {"command_topic": slots.command(command), "payload_press": body, "icon": icon}
        yield Entity(
            key=key,
            platform="button",
            name=name,
            needs="daemon" if key == "false_wake" else "microphone",
            options={**options, **(QUIET if key == "false_wake" else {})},
        )
    if slots.languages:
        yield Entity(
            key="translate_this", platform="text", name="Translate this",
            options={
                "state_topic": slots.own("last/asked"),
                "value_template": "{{ value_json.state }}",
                "command_topic": slots.command("translate"),
                "command_template": '{"text": {{ value | to_json }}}',
                "min": 1, "max": 255, "icon": "mdi:translate",
            },
        )  # fmt: skip
