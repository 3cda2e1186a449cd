"""What Home Assistant shows of a site: one table, from which the discovery message is made."""

from collections.abc import Iterator

from edgeasr.homeassistant_controls import controls
from edgeasr.homeassistant_rows import DIAGNOSTIC, QUIET, Entity, Slots

__all__ = ["entities"]


def entities(slots: Slots) -> list[Entity]:
    """Return the whole table."""
    return [
        *_events(slots),
        *_results(slots),
        *_states(slots),
        *controls(slots),
        *_figures(slots),
    ]


def _events(slots: Slots) -> Iterator[Entity]:
    kinds = {
        "wake": ("Wake word", [*slots.words, "listen"], "mdi:account-voice"),
        "command": (
            "Command", ["transcript", "intent", "no_match", "no_speech"], "mdi:message-text",
        ),
        "error": ("Error", ["error"], "mdi:alert-circle"),
    }  # fmt: skip
    for key, (name, types, icon) in kinds.items():
        options = {"state_topic": slots.own(key), "event_types": types, "icon": icon}
        yield Entity(
            key=key,
            platform="event",
            name=name,
            needs="daemon" if key == "error" else "microphone",
            options={**options, **(DIAGNOSTIC if key == "error" else {})},
        )


def _results(slots: Slots) -> Iterator[Entity]:
    named = {
        "transcript": ("Last transcript", "mdi:format-quote-close"),
        "intent": ("Last intent", "mdi:lightbulb-question"),
        **{
            f"translation_{language}": (f"Translation {language}", "mdi:translate")
            for language in slots.languages
        },
    }
    for key, (name, icon) in named.items():
        topic = slots.own(f"last/{key}")
        yield Entity(
            key=f"last_{key}",
            platform="sensor",
            name=name,
            options={
                "state_topic": topic,
                "value_template": "{{ value_json.state }}",
                "json_attributes_topic": topic,
                "icon": icon,
            },
        )
    measured = {"state_topic": slots.own("last/transcript"), "state_class": "measurement"}
    yield Entity(
        key="confidence", platform="sensor", name="Confidence",
        options={
            **measured, **DIAGNOSTIC, "unit_of_measurement": "%", "suggested_display_precision": 0,
            "value_template": "{{ (value_json.confidence * 100) | round(1) }}",
        },
    )  # fmt: skip
    yield Entity(
        key="latency", platform="sensor", name="Latency",
        options={
            **measured, **DIAGNOSTIC, "unit_of_measurement": "s", "device_class": "duration",
            "value_template": "{{ value_json.latency_s }}",
        },
    )  # fmt: skip


def _states(slots: Slots) -> Iterator[Entity]:
    state = slots.topics.state
    yield Entity(
        key="listening", platform="binary_sensor", name="Listening", needs="microphone",
        options={
            "state_topic": state, "device_class": "running",
            "value_template": "{{ 'ON' if value_json.state == 'listening' else 'OFF' }}",
        },
    )  # fmt: skip
    yield Entity(
        key="microphone", platform="binary_sensor", name="Microphone",
        options={
            "state_topic": state, "device_class": "connectivity", **DIAGNOSTIC,
            "value_template": "{{ 'ON' if value_json.microphone in ('ok', 'silent') else 'OFF' }}",
            "json_attributes_topic": state,
            "json_attributes_template":
                "{{ {'condition': value_json.microphone,"
                " 'detail': value_json.microphone_detail} | to_json }}",
        },
    )  # fmt: skip


def _figures(slots: Slots) -> Iterator[Entity]:
    common = {"state_topic": slots.topics.metrics, "state_class": "measurement", **QUIET}
    figures = {
        "memory": ("Memory", "{{ value_json.rss_mb }}", {
            "unit_of_measurement": "MB", "device_class": "data_size",
        }),
        "outbox": ("Results waiting", "{{ value_json.outbox.waiting }}", {}),
        "dropped": ("Blocks of sound lost", "{{ value_json.dropped_blocks }}", {
            "state_class": "total_increasing",
        }),
    }  # fmt: skip
    for key, (name, template, options) in figures.items():
        yield Entity(
            key=key,
            platform="sensor",
            name=name,
            options={**common, "value_template": template, **options},
        )
