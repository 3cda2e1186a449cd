"""Hermes: what the bridge says and understands, against the published client library's classes."""

import json
from dataclasses import replace

import numpy as np
import pytest
from mqtt_help import SPOKEN, eventually, script_runtime
from test_runtime import Running

from edgeasr.commands import Attend, Cancel, Listen, Stop, Transcribe, Understand
from edgeasr.errors import AudioError
from edgeasr.events import (
    Error,
    Intent,
    IntentNotRecognised,
    NoSpeech,
    Partial,
    Slot,
    Transcript,
    Wake,
    Word,
)
from edgeasr.hermes import HermesBridge
from edgeasr.hermes_audio import read_wav, write_wav

DM = "hermes/dialogueManager/"


def intent(name: str, **options) -> Intent:
    slot = Slot(name="level", value="half", text="light", start=10, end=15, normalised=50)
    fields = {"at_s": 4.0, "confidence": 0.9, "text": "light the light", "source": "tagger"}
    return Intent(intent=name, slots=(slot,), **{**fields, **options})


def not_recognised(**options) -> IntentNotRecognised:
    return IntentNotRecognised(at_s=4.0, text="light", guess="", confidence=0.1, **options)


WAKE = Wake(at_s=1.0, session="s1", word="computer", score=0.9, word_end_s=0.9, latency_s=0.1)
WORDS = tuple(
    Word(word=word, start_s=1.5 + 0.3 * at, end_s=1.7 + 0.3 * at, confidence=0.8)
    for at, word in enumerate(("light", "the", "light"))
)
TRANSCRIPT = Transcript(
    at_s=4.0, session="s1", text="light the light", display="Light the light", confidence=0.83,
    words=WORDS, start_s=1.5, end_s=2.3, reason="silence",
)  # fmt: skip
INTENT = intent("TurnOn", session="s1")


@pytest.fixture
def bridge():
    return HermesBridge("kitchen", words=["computer", "hey jarvis"], understands=True)


def tell(bridge, topic, **fields):
    return bridge.on_message(topic, json.dumps(fields).encode(), retained=False)


def told(reaction) -> dict:
    return {message.topic: json.loads(message.body) for message in reaction.messages}


def hear(bridge, *events, request=None):
    """Return all that the events cause, by topic, and the order of the topics."""
    found, order = {}, []
    for event in events:
        reaction = bridge.on_event(event, request=request)
        found |= told(reaction)
        order += [message.topic for message in reaction.messages]
    return found, order


# One command


def test_a_command_is_told_in_the_order_of_the_protocol(bridge):
    found, order = hear(
        bridge, WAKE, Partial(at_s=2.0, session="s1", text="light"), TRANSCRIPT, INTENT
    )
    assert order == [
        "hermes/hotword/computer/detected",
        DM + "sessionStarted",
        "hermes/asr/partialTextCaptured",
        "rhasspy/asr/recordingFinished",
        "hermes/asr/textCaptured",
        "hermes/nlu/intentParsed",
        "hermes/intent/TurnOn",
    ]
    assert {body.get("siteId") for body in found.values()} == {"kitchen"}
    assert {body.get("sessionId") for body in found.values()} == {"s1"}
    tokens = found["hermes/asr/textCaptured"]["asrTokens"]
    assert [(t["value"], t["rangeStart"], t["rangeEnd"]) for t in tokens[0]] == [
        ("light", 0, 5), ("the", 6, 9), ("light", 10, 15),
    ]  # fmt: skip
    assert tokens[0][0]["time"] == {"start": 0.0, "end": 0.2}
    full = found["hermes/intent/TurnOn"]
    assert (full["asrTokens"], full["asrConfidence"]) == (tokens, 0.83)
    (slot,) = full["slots"]
    assert (slot["slotName"], slot["rawValue"], slot["value"]["value"]) == ("level", "light", 50)
    assert slot["range"] == {"start": 10, "end": 15, "rawStart": 10, "rawEnd": 15}


def test_silence_gives_an_empty_text_and_ends_the_session(bridge):
    found, order = hear(bridge, WAKE, NoSpeech(at_s=6.0, session="s1", reason="silence"))
    assert found["hermes/asr/textCaptured"]["text"] == ""
    assert found[DM + "sessionEnded"]["termination"] == {"reason": "timeout"}
    assert order[-1] == DM + "sessionEnded"


def test_what_is_not_understood_ends_the_session(bridge):
    found, _ = hear(bridge, WAKE, TRANSCRIPT, not_recognised(session="s1"))
    assert found["hermes/nlu/intentNotRecognized"]["input"] == "light the light"
    assert found[DM + "sessionEnded"]["termination"] == {"reason": "intentNotRecognized"}


def test_without_intents_of_our_own_others_are_asked():
    bridge = HermesBridge("kitchen", words=["computer"], understands=False)
    found, _ = hear(bridge, WAKE, TRANSCRIPT)
    assert found["hermes/nlu/query"]["input"] == "light the light"
    reaction = tell(bridge, "hermes/nlu/intentNotRecognized", siteId="kitchen", sessionId="s1")
    assert DM + "sessionEnded" in told(reaction)


# Switching


def test_the_wake_word_is_on_only_when_all_reasons_are_gone(bridge):
    off, on = "hermes/hotword/toggleOff", "hermes/hotword/toggleOn"
    steps = [
        (off, "ttsSay", (Attend(on=False),)), (off, "playAudio", ()), (off, "ttsSay", ()),
        (on, "ttsSay", ()), (on, "unheard of", ()), (on, "playAudio", (Attend(on=True),)),
        (off, "dialogueSession", (Attend(on=False),)), (off, "ttsSay", ()),
        (on, "", (Attend(on=True),)),
    ]  # fmt: skip
    for topic, reason, commands in steps:
        assert tell(bridge, topic, siteId="kitchen", reason=reason).commands == commands


def test_a_recogniser_that_is_off_does_not_start(bridge):
    tell(bridge, "hermes/asr/toggleOff", siteId="kitchen", reason="ttsSay")
    assert not tell(bridge, "hermes/asr/startListening", siteId="kitchen").commands
    tell(bridge, "hermes/asr/toggleOn", siteId="kitchen", reason="ttsSay")
    assert tell(bridge, "hermes/asr/startListening", siteId="kitchen").commands
    hear(bridge, WAKE)
    off = tell(bridge, "hermes/asr/toggleOff", siteId="kitchen", reason="ttsSay")
    assert off.commands == (Cancel(),)


def test_other_sites_and_nonsense_are_ignored(bridge):
    assert not tell(bridge, "hermes/asr/startListening", siteId="bedroom").commands
    assert not tell(bridge, "hermes/asr/startListening").commands  # siteId "default"
    for body in (b"", b"\xff", b"[1]", b"7", b"{" * 100_000, b'{"siteId": {"a": []}}', b"null"):
        for topic in bridge.subscriptions:
            reaction = bridge.on_message(topic, body, retained=False)
            assert not reaction.commands
    start = {"siteId": "kitchen", "init": [1], "intents": [4, {"intentId": 3}], "sessionId": 9}
    for topic in bridge.subscriptions:
        if topic != "hermes/asr/startListening" and "toggleOff" not in topic:
            tell(bridge, topic, **start)
            tell(bridge, topic, siteId="kitchen", intents=5)


# The recogniser on request


def test_no_text_of_others_makes_a_topic_that_a_broker_refuses():
    bridge = HermesBridge("kitchen", words=["computer"], understands=True, audio_frames="session")
    for session, expected in (
        ("\ud800", "_"), ("a\x01b", "a_b"), ("a/b", "a_b"), ("#", "_"), ("\ufdd0", "_"),
        ("", "none"), ("9-ü", "9-ü"),
    ):  # fmt: skip
        (listen,) = tell(
            bridge, "hermes/asr/startListening", siteId="kitchen", sessionId=session,
            sendAudioCaptured=True,
        ).commands  # fmt: skip
        bridge.on_event(replace(WAKE, word=""), request=listen.id)
        (frame,) = bridge.on_sound(np.zeros(1280, np.int16)).messages
        *_, captured = bridge.on_event(TRANSCRIPT, request=listen.id).messages
        assert frame.topic == f"hermes/audioServer/kitchen/{expected}/audioSessionFrame"
        assert captured.topic == f"rhasspy/asr/kitchen/{expected}/audioCaptured"


def test_the_transcript_of_a_recording_ends_no_hearing(bridge):
    hear(bridge, WAKE)
    recorded = replace(TRANSCRIPT, session="f00-recording-1", text="of a recording")
    assert hear(bridge, recorded, intent("TurnOff"), request="some command") == ({}, [])
    found, _ = hear(bridge, TRANSCRIPT, INTENT)
    assert found["hermes/asr/textCaptured"]["text"] == TRANSCRIPT.text
    assert "hermes/intent/TurnOn" in found


def test_listening_on_request_answers_with_the_session_of_who_asked(bridge):
    start = tell(
        bridge, "hermes/asr/startListening", siteId="kitchen", sessionId="skill-7",
        wakewordId="button", sendAudioCaptured=True,
    )  # fmt: skip
    (listen,) = start.commands
    assert isinstance(listen, Listen)
    woken = Wake(at_s=1.0, session="s9", word="", score=1.0, word_end_s=1.0, latency_s=0.0)
    _, order = hear(bridge, woken, request=listen.id)
    assert not order
    bridge.on_sound(np.arange(1280, dtype=np.int16))
    stop = tell(bridge, "hermes/asr/stopListening", siteId="kitchen", sessionId="skill-7")
    assert stop.commands == (Stop(),)
    messages = bridge.on_event(replace(TRANSCRIPT, session="s9"), request=None).messages
    topics = [message.topic for message in messages]
    assert topics == [
        "rhasspy/asr/recordingFinished", "hermes/asr/textCaptured",
        "rhasspy/asr/kitchen/skill-7/audioCaptured",
    ]  # fmt: skip
    text = json.loads(messages[1].body)
    assert (text["sessionId"], text["wakewordId"]) == ("skill-7", "button")
    assert read_wav(messages[2].body).tolist() == list(range(1280))


def test_a_dialogue_manager_elsewhere_adopts_what_the_wake_word_started():
    bridge = HermesBridge("kitchen", words=["computer"], understands=True, dialogue=False)
    _, order = hear(bridge, WAKE)
    assert order == ["hermes/hotword/computer/detected"]
    start = tell(bridge, "hermes/asr/startListening", siteId="kitchen", sessionId="manager-1")
    assert not start.commands
    found, order = hear(bridge, TRANSCRIPT, INTENT)
    assert found["hermes/asr/textCaptured"]["sessionId"] == "manager-1"
    assert found["hermes/asr/textCaptured"]["wakewordId"] == "computer"
    assert "hermes/nlu/intentParsed" not in order  # it sends a query
    (ask,) = tell(
        bridge, "hermes/nlu/query", siteId="kitchen", input="light", id="q", sessionId="manager-1"
    ).commands
    assert (type(ask), ask.text) == (Understand, "light")
    found, _ = hear(bridge, INTENT, request=ask.id)
    assert found["hermes/nlu/intentParsed"]["id"] == "q"
    assert found["hermes/intent/TurnOn"]["sessionId"] == "manager-1"


def test_a_query_may_name_the_intents_that_count(bridge):
    for wanted, topic in (
        (["TurnOn"], "hermes/intent/TurnOn"),
        (["Room"], "hermes/nlu/intentNotRecognized"),
    ):
        (ask,) = tell(
            bridge, "hermes/nlu/query", siteId="kitchen", input="light", intentFilter=wanted
        ).commands
        assert hear(bridge, INTENT, request=ask.id)[1][-1] == topic


def test_a_refusal_reaches_who_asked(bridge):
    (listen,) = tell(
        bridge, "hermes/asr/startListening", siteId="kitchen", sessionId="x"
    ).commands
    error = told(bridge.on_refused(listen.id, "muted"))["hermes/error/asr"]
    assert (error["error"], error["sessionId"]) == ("muted", "x")
    assert not bridge.on_refused(listen.id, "muted").messages
    lost = Error(at_s=1.0, source="microphone", message="unplugged; plug it in")
    assert "hermes/error/audioServer/record" in hear(bridge, lost)[0]


# Dialogue


def start_session(bridge, **init):
    return tell(bridge, DM + "startSession", siteId="kitchen", customData="mine", init=init)


def test_a_skill_asks_back_and_ends(bridge):
    hear(bridge, WAKE, TRANSCRIPT, INTENT)
    asked = tell(
        bridge, DM + "continueSession", sessionId="s1", text="Which room?", customData="step 2",
        intentFilter=["Room"],
    )  # fmt: skip
    say = told(asked)["hermes/tts/say"]
    assert not asked.commands
    assert not tell(bridge, "hermes/tts/sayFinished", siteId="kitchen", id="another").commands
    go_on = tell(bridge, "hermes/tts/sayFinished", siteId="kitchen", id=say["id"])
    assert go_on.commands == (Listen(id="s1"),)
    woken = Wake(at_s=9.0, session="s2", word="", score=1.0, word_end_s=9.0, latency_s=0.0)
    hear(bridge, woken, request="s1")
    room = intent("Room", session="s2")
    found, _ = hear(bridge, replace(TRANSCRIPT, session="s2"), room)
    assert found["hermes/intent/Room"]["sessionId"] == "s1"
    assert found["hermes/intent/Room"]["customData"] == "step 2"
    ended = told(tell(bridge, DM + "endSession", sessionId="s1", text="Done"))
    assert ended["hermes/tts/say"]["text"] == "Done"
    assert ended[DM + "sessionEnded"]["termination"] == {"reason": "nominal"}
    assert not tell(bridge, DM + "endSession", sessionId="s1").messages


def test_a_filtered_intent_is_not_recognised_and_may_be_handed_over(bridge):
    start_session(bridge, type="action", intentFilter=["Room"], sendIntentNotRecognized=True)
    session = bridge._dialogue.session.id
    woken = Wake(at_s=9.0, session="s2", word="", score=1.0, word_end_s=9.0, latency_s=0.0)
    hear(bridge, woken, request=session)
    found, _ = hear(bridge, replace(TRANSCRIPT, session="s2"), INTENT)
    assert "hermes/intent/TurnOn" not in found
    assert found[DM + "intentNotRecognized"]["customData"] == "mine"
    assert bridge._dialogue.session.id == session


def test_sessions_wait_for_their_turn(bridge):
    hear(bridge, WAKE)
    assert "hermes/error/dialogueManager" in told(start_session(bridge, type="action"))
    queued = told(start_session(bridge, type="action", canBeEnqueued=True))
    note = told(start_session(bridge, type="notification", text="Tea is ready"))
    waiting = queued[DM + "sessionQueued"]["sessionId"]
    assert note[DM + "sessionQueued"]["sessionId"] != waiting
    ended = tell(bridge, DM + "endSession", sessionId="s1")
    assert told(ended)[DM + "sessionStarted"]["sessionId"] == waiting
    assert ended.commands == (Listen(id=waiting),)
    refused = told(bridge.on_refused(waiting, "muted"))
    assert refused[DM + "sessionEnded"]["termination"] == {"reason": "error"}
    assert refused["hermes/tts/say"]["text"] == "Tea is ready"


def test_a_silent_skill_or_voice_loses_the_session(bridge):
    hear(bridge, WAKE, TRANSCRIPT, INTENT)
    second = np.zeros(16_000, np.int16)
    assert not any(bridge.on_sound(second).messages for _ in range(29))
    ended = told(bridge.on_sound(second))[DM + "sessionEnded"]
    assert ended["termination"] == {"reason": "timeout"}


def test_the_wake_word_ends_the_session_before(bridge):
    hear(bridge, WAKE, TRANSCRIPT, INTENT)
    again = Wake(at_s=9.0, session="s2", word="computer", score=0.9, word_end_s=9.0, latency_s=0.1)
    _, order = hear(bridge, again)
    assert order == [
        "hermes/hotword/computer/detected", DM + "sessionEnded", DM + "sessionStarted",
    ]  # fmt: skip


# Sound


def test_a_microphone_elsewhere_is_recognised_here(recorded_speech):
    bridge = HermesBridge("kitchen", words=[], understands=False, rooms=["attic"])
    tell(bridge, "hermes/asr/startListening", siteId="attic", sessionId="a1")
    topic, sent, commands = "hermes/audioServer/attic/audioFrame", [], ()
    for at in range(0, len(recorded_speech), 2048):
        sent.append(recorded_speech[at : at + 2048])
        reaction = bridge.on_message(topic, write_wav(sent[-1]), retained=False)
        commands += reaction.commands
        if commands:
            break
    (transcribe,) = commands
    assert isinstance(transcribe, Transcribe)
    assert (read_wav(transcribe.audio) == np.concatenate(sent)).all()
    assert 1.0 < len(np.concatenate(sent)) / 16_000 < 2.6  # ended by the silence after the speech
    found, _ = hear(bridge, TRANSCRIPT, request=transcribe.id)
    assert found["hermes/asr/textCaptured"]["siteId"] == "attic"
    assert found["hermes/asr/textCaptured"]["sessionId"] == "a1"
    assert not bridge.on_message(topic, write_wav(sent[0]), retained=False).commands


@pytest.fixture
def recorded_speech():
    """A second of buzz that counts as speech, and three of silence, int16 [n]."""
    time_s = np.arange(16_000) / 16_000
    voice = sum(np.sin(2 * np.pi * 140 * k * time_s) / k for k in range(1, 20))
    buzz = (voice * (0.6 + 0.4 * np.sin(2 * np.pi * 4 * time_s)) * 6000).astype(np.int16)
    return np.concatenate([buzz, np.zeros(48_000, np.int16)])


def test_frames_that_are_no_wav_are_told():
    bridge = HermesBridge("kitchen", words=[], understands=False, rooms=["attic"])
    topic = "hermes/audioServer/attic/audioFrame"
    assert not bridge.on_message(topic, b"RIFF", retained=False).messages  # nobody listens
    tell(bridge, "hermes/asr/startListening", siteId="attic", sessionId="a1")
    assert "hermes/error/audioServer/record" in told(
        bridge.on_message(topic, b"RIFF", retained=False)
    )
    with pytest.raises(AudioError, match="44100"):
        read_wav(write_wav(np.zeros(10, np.int16)).replace(b"\x80\x3e\0\0", b"\x44\xac\0\0"))


def test_our_sound_goes_out_only_when_asked_for():
    pcm = np.arange(1280, dtype=np.int16)
    always = HermesBridge("k", words=[], understands=True, audio_frames="always")
    (frame,) = always.on_sound(pcm).messages
    assert (frame.topic, frame.qos) == ("hermes/audioServer/k/audioFrame", 0)
    assert (read_wav(frame.body) == pcm).all()
    session = HermesBridge("k", words=["computer"], understands=True, audio_frames="session")
    assert not session.on_sound(pcm).messages
    hear(session, WAKE)
    (frame,) = session.on_sound(pcm).messages
    assert frame.topic == "hermes/audioServer/k/s1/audioSessionFrame"
    assert not HermesBridge("k", words=[], understands=True).on_sound(pcm).messages


# In the daemon


def test_the_daemon_speaks_hermes_on_a_real_broker(tmp_path, monkeypatch, broker, other):
    script_runtime(monkeypatch)
    with Running(tmp_path, broker.port, text="[hermes]\non = true\naudio_frames = 'session'\n"):
        other.wait("edgeasr/den/settings")
        site = {"siteId": "den", "reason": "ttsSay"}
        other.send("hermes/asr/startListening", {**site, "sessionId": "skill-1"})
        (text,) = other.wait_json("hermes/asr/textCaptured")
        assert (text["text"], text["sessionId"]) == (SPOKEN, "skill-1")
        assert read_wav(other.wait("hermes/audioServer/den/skill-1/audioSessionFrame")[0]).size
        other.send("edgeasr/den/command/mute", True)
        other.send("hermes/asr/startListening", {**site, "sessionId": "skill-2"})
        (error,) = other.wait_json("hermes/error/asr")
        assert (error["sessionId"], "muted" in error["error"]) == ("skill-2", True)
        other.send("hermes/hotword/toggleOff", site)
        assert eventually(lambda: other.json("edgeasr/den/result")[-1]["command"] == "attend")
        assert other.json("edgeasr/den/result")[-1]["ok"]
        assert not other.bodies("hermes/nlu/intentParsed")


# The published client library


def test_the_published_library_reads_what_we_say(bridge):
    asr = pytest.importorskip("rhasspyhermes.asr", reason="make peers")
    from rhasspyhermes import audioserver, dialogue, nlu, tts, wake  # noqa: PLC0415

    bodies, _ = hear(bridge, WAKE, TRANSCRIPT, INTENT)
    bodies |= told(tell(bridge, DM + "continueSession", sessionId="s1", text="Which?"))
    bodies |= told(tell(bridge, DM + "endSession", sessionId="s1"))
    hear(bridge, WAKE)
    bodies |= told(start_session(bridge, type="notification", text="hello"))
    bodies |= told(start_session(bridge, type="action"))
    bodies |= told(tell(bridge, "rhasspy/hotword/getHotwords", siteId="kitchen", id="1"))
    bodies |= hear(bridge, Error(at_s=1.0, source="microphone", message="m"))[0]
    bodies |= hear(bridge, TRANSCRIPT, not_recognised())[0]
    (listen,) = tell(bridge, "hermes/asr/startListening", siteId="kitchen").commands
    bodies |= told(bridge.on_refused(listen.id, "muted"))
    kinds = [
        wake.HotwordDetected, wake.Hotwords, asr.AsrTextCaptured, asr.AsrRecordingFinished,
        asr.AsrError, nlu.NluIntentParsed, nlu.NluIntent, nlu.NluIntentNotRecognized,
        dialogue.DialogueSessionStarted, dialogue.DialogueSessionEnded,
        dialogue.DialogueSessionQueued, dialogue.DialogueError, tts.TtsSay,
        audioserver.AudioRecordError,
    ]  # fmt: skip
    unread = set(bodies) - {"hermes/asr/partialTextCaptured"}
    for kind in kinds:
        topics = [topic for topic in bodies if kind.is_topic(topic)]
        assert topics, f"we never say {kind.__name__}"
        for topic in topics:
            read = kind.from_dict(bodies[topic])
            again = json.loads(read.payload())
            assert again == {key: bodies[topic].get(key) for key in again}, kind.__name__
            unread.discard(topic)
    assert not unread
    parsed = nlu.NluIntent.from_dict(bodies["hermes/intent/TurnOn"])
    assert parsed.asr_tokens[0][2].range_start == 10


def test_we_read_what_the_published_library_says(bridge):
    asr = pytest.importorskip("rhasspyhermes.asr", reason="make peers")
    from rhasspyhermes import dialogue, nlu, tts, wake  # noqa: PLC0415

    def send(message):
        return bridge.on_message(message.topic(), message.payload().encode(), retained=False)

    k = {"site_id": "kitchen"}
    reason = wake.HotwordToggleReason.TTS_SAY
    assert send(wake.HotwordToggleOff(**k, reason=reason)).commands == (Attend(on=False),)
    assert send(wake.HotwordToggleOn(**k, reason=reason)).commands == (Attend(on=True),)
    assert isinstance(send(asr.AsrStartListening(**k, session_id="x")).commands[0], Listen)
    assert isinstance(send(nlu.NluQuery("light", **k)).commands[0], Understand)
    assert send(wake.GetHotwords(**k)).messages
    action = dialogue.DialogueAction(can_be_enqueued=False, text="Which?")
    say = told(send(dialogue.DialogueStartSession(action, **k)))["hermes/tts/say"]
    listen = send(tts.TtsSayFinished(**k, id=say["id"])).commands
    assert listen == (Listen(id=say["sessionId"]),)
    hear(
        bridge, Wake(at_s=1.0, session="s", word="", score=1.0, word_end_s=1.0, latency_s=0.0),
        request=listen[0].id,
    )  # fmt: skip
    stop = send(asr.AsrStopListening(**k, session_id=say["sessionId"]))
    assert stop.commands == (Stop(),)
    note = dialogue.DialogueNotification("Tea")
    assert DM + "sessionQueued" in told(send(dialogue.DialogueStartSession(note, **k)))
    assert told(send(dialogue.DialogueEndSession(say["sessionId"])))[DM + "sessionEnded"]
