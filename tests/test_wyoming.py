"""The Wyoming servers, each as a process of its own, with the published client."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import numpy as np
import pytest

pytest.importorskip("wyoming", reason="pip install 'edgeasr[wyoming]'")

from mqtt_help import free_port
from real_peers import peer
from wyoming.asr import Transcribe, Transcript, TranscriptChunk
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncClient
from wyoming.error import Error
from wyoming.event import Event
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.pipeline import RunPipeline
from wyoming.satellite import PauseSatellite, RunSatellite
from wyoming.snd import Played
from wyoming.wake import Detect, Detection

from edgeasr.audio import Pcm
from edgeasr.bundle import MODELS_FOLDER
from edgeasr.errors import AudioError, ConfigError
from edgeasr.features import FRAME_S
from edgeasr.loading import load_recogniser, load_wake
from edgeasr.recordings import bundled_recordings
from edgeasr.wyoming_asr import Steady
from edgeasr.wyoming_audio import ChunkReader
from edgeasr.wyoming_info import event_name, satellite_info
from edgeasr.wyoming_satellite import Satellite
from edgeasr.wyoming_serving import Late, announce, open_server
from edgeasr.wyoming_wake import Trigger

RATE = 16_000


class Server:
    """`edgeasr wyoming`, or another program, at `uri`."""

    def __init__(self, *command: str | Path, uri: str) -> None:
        self.uri = uri
        self._process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        finally:
            self._process.kill()

    @property
    def exit_status(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def _said(self) -> str:
        self._process.kill()  # else reading would wait for more
        return self._process.stdout.read().decode()

    async def client(self) -> AsyncClient:
        """Connect as soon as it listens."""
        until_s = time.monotonic() + 30
        while True:
            client = AsyncClient.from_uri(self.uri)
            try:
                await client.connect()
            except OSError:
                if time.monotonic() > until_s or self._process.poll() is not None:
                    pytest.fail(f"it does not listen: {self._said()}")
                await asyncio.sleep(0.1)
            else:
                return client


def edgeasr(kind: str, *options: str | Path) -> Server:
    uri = f"tcp://127.0.0.1:{free_port()}"
    return Server(
        sys.executable, "-m", "edgeasr", "wyoming", f"--{kind}-uri", uri, *options, uri=uri
    )


@pytest.fixture(scope="module")
def wake_server():
    with edgeasr("wake") as server:
        yield server


@pytest.fixture(scope="module")
def asr_server():
    if not (MODELS_FOLDER / "recogniser-en").is_dir():
        pytest.skip("the recogniser is not in this tree")
    with edgeasr("asr") as server:
        yield server


async def next_event(client: AsyncClient, *kinds: str) -> Event:
    """The next event of a kind; others are passed over."""
    async with asyncio.timeout(30):
        while True:
            event = await client.read_event()
            assert event is not None, f"the connection ended before {kinds}"
            if event.type in kinds:
                return event


async def speak(client: AsyncClient, pcm: Pcm, *, ends: bool = True) -> None:
    """Send sound as Home Assistant does, apart from its speed."""
    await client.write_event(AudioStart(rate=RATE, width=2, channels=1, timestamp=0).event())
    for at in range(0, len(pcm), 1024):
        audio, at_ms = pcm[at : at + 1024].tobytes(), at * 1000 // RATE
        chunk = AudioChunk(rate=RATE, width=2, channels=1, audio=audio, timestamp=at_ms)
        await client.write_event(chunk.event())
    if ends:
        await client.write_event(AudioStop().event())


@pytest.fixture(scope="module")
def commands(recordings) -> dict[str, tuple[Pcm, list]]:
    """The shortest bundled recording with what the trigger finds in it, called directly."""
    model, found = load_wake(), {}
    for name, pcm in sorted(recordings.items(), key=lambda item: len(item[1]))[:1]:
        trigger = Trigger(model, dict.fromkeys(model.words), refractory_s=2.0)
        detections = trigger.hear(np.concatenate([pcm, np.zeros(8000, np.int16)]))
        if detections:
            found[name] = (pcm, detections)
    assert found or not bundled_recordings()
    if not found:
        pytest.skip("no bundled recording in this tree")
    return found


def test_info_comes_at_once_before_any_model_is_loaded(wake_server):
    async def ask() -> tuple[Info, float]:
        client = await wake_server.client()
        began_s = time.monotonic()
        await client.write_event(Describe().event())
        info = Info.from_event(await next_event(client, "info"))
        await client.disconnect()
        return info, time.monotonic() - began_s

    # Home Assistant waits for a second, and asks three times.
    (info, took_s), *more = [asyncio.run(ask()) for _ in range(3)]
    assert min(took_s, *(other_s for _, other_s in more)) < 1.0
    names = {model.name: model.phrase for model in info.wake[0].models}
    assert names["computer"] == "computer"
    assert all(name == phrase.replace(" ", "_") for name, phrase in names.items())
    assert not info.asr
    assert info.satellite is None


def test_the_wake_server_finds_what_the_detector_finds(wake_server, commands):
    async def detect(pcm: Pcm, names: list[str] | None) -> list[Event]:
        client = await wake_server.client()
        await client.write_event(Detect(names=names).event())
        await speak(client, pcm)
        await client.write_event(Ping(text="end").event())
        events = [await next_event(client, "detection", "not-detected", "pong")]
        while events[-1].type != "pong":
            events.append(await next_event(client, "detection", "not-detected", "pong"))
        await client.disconnect()
        return events[:-1]

    for pcm, expected in commands.values():
        heard = [Detection.from_event(event) for event in asyncio.run(detect(pcm, None))]
        assert [(one.name, one.timestamp) for one in heard] == [
            (event_name(one.word), round(one.at_frame * FRAME_S * 1000)) for one in expected
        ]
    pcm, expected = next(iter(commands.values()))
    said = {event_name(one.word) for one in expected}
    other = next(name for name in ("computer", "alexa", "jarvis") if name not in said)
    assert [event.type for event in asyncio.run(detect(pcm, [other]))] == ["not-detected"]


def test_beside_the_recogniser_it_has_the_second_look(recordings):
    other = f"tcp://127.0.0.1:{free_port()}"
    pcm = recordings["alexa-passwords"]
    model = load_wake(recogniser=load_recogniser())
    if model.verifier is None:
        pytest.skip("the trigger was fitted to another recogniser; run training wake_second")
    trigger = Trigger(model, dict.fromkeys(model.words), refractory_s=2.0)
    found = trigger.hear(np.concatenate([pcm, np.zeros(8000, np.int16)]))
    alone = load_wake()
    first = Trigger(alone, dict.fromkeys(alone.words), refractory_s=2.0).hear(pcm)
    assert found[0].at_frame > first[0].at_frame  # it takes its time

    async def heard(server: Server) -> Detection:
        client = await server.client()
        await client.write_event(Detect().event())
        await speak(client, pcm)
        detection = Detection.from_event(await next_event(client, "detection", "not-detected"))
        await client.disconnect()
        return detection

    with edgeasr("wake", "--asr-uri", other) as server:
        detection = asyncio.run(heard(server))
    assert detection.name == event_name(found[0].word)
    assert detection.timestamp == round(found[0].at_frame * FRAME_S * 1000)


def test_an_unknown_wake_word_is_refused_with_those_there_are(wake_server):
    async def ask() -> Error:
        client = await wake_server.client()
        await client.write_event(Detect(names=["ok_nabu"]).event())
        return Error.from_event(await next_event(client, "error"))

    error = asyncio.run(ask())
    assert "ok_nabu" in error.text
    assert "computer" in error.text


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"[]\n",
        b'{"type": "audio-chunk", "data": {"rate": "x", "width": 2, "channels": 1}}\n',
        b'{"type": "audio-chunk", "payload_length": 4000000000}\n',
        b'{"type": "audio-chunk", "data_length": "9"}\n',
        b'{"data": {}}\n',
        b"x" * 100_000,
        b"",
    ],
)
def test_rubbish_ends_its_own_connection_only(wake_server, sent):
    async def ask() -> bytes:
        host, port = wake_server.uri.removeprefix("tcp://").split(":")
        client = await wake_server.client()  # it listens from here on
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(sent)
        if not sent:
            writer.write_eof()
        async with asyncio.timeout(30):
            while await reader.read(1000):
                pass
        writer.close()
        await client.write_event(Describe().event())
        return (await next_event(client, "info")).type

    assert asyncio.run(ask()) == "info"


def test_beside_openwakeword_the_same_client_sees_the_same(wake_server, recordings):
    program = peer("WYOMING_OPENWAKEWORD")
    uri = f"tcp://127.0.0.1:{free_port()}"
    with Server(program, "--uri", uri, uri=uri) as other:

        async def ask(server: Server, sound: Pcm) -> list:
            client = await server.client()
            await client.write_event(Describe().event())
            info = Info.from_event(await next_event(client, "info"))
            name = next(m.name for m in info.wake[0].models if m.name.startswith("alexa"))
            await client.write_event(Detect(names=[name]).event())
            # At the end theirs answers at once, whether it has searched everything or not.
            await speak(client, sound, ends=not sound.any())
            ended = await next_event(client, "detection", "not-detected")
            await client.disconnect()
            program = info.wake[0].to_dict()
            shape = [sorted(program), sorted(program["models"][0]), ended.type]
            if Detection.is_type(ended.type):
                shape += [Detection.from_event(ended).name == name]
            return shape

        for sound, end in (
            (np.zeros(RATE, np.int16), ["not-detected"]),
            (recordings["alexa-passwords"], ["detection", True]),
        ):
            theirs = asyncio.run(ask(other, sound))
            assert theirs[2:] == end
            assert theirs == asyncio.run(ask(wake_server, sound))


def test_the_recogniser_streams_words_and_ends_with_what_it_says_directly(
    asr_server, commands
):
    pcm, _ = next(iter(commands.values()))

    async def transcribe() -> list[Event]:
        client = await asr_server.client()
        await client.write_event(Describe().event())
        info = Info.from_event(await next_event(client, "info"))
        assert info.asr[0].supports_transcript_streaming
        await client.write_event(Transcribe(language="en", transcript_terms=["kitchen"]).event())
        await speak(client, pcm)
        events = []
        while not events or events[-1].type != "transcript":
            events.append(
                await next_event(
                    client, "transcript-start", "transcript-chunk", "transcript-stop", "transcript"
                )
            )
        await client.disconnect()
        return events

    events = asyncio.run(transcribe())
    kinds = [event.type for event in events]
    assert kinds[0] == "transcript-start"
    assert kinds[-2:] == ["transcript-stop", "transcript"]
    assert "transcript-chunk" in kinds
    from edgeasr.features import Frontend, LogMel  # noqa: PLC0415
    from edgeasr.hints import Hints  # noqa: PLC0415
    from edgeasr.numbers_en import display  # noqa: PLC0415

    stream, frontend = load_recogniser().stream(hints=Hints(["kitchen"])), Frontend(LogMel())
    stream.push(frontend.push(np.concatenate([pcm, np.zeros(4800, np.int16)])))
    text = stream.finish().text
    assert Transcript.from_event(events[-1]).text == display(text)
    chunks = [event for event in events if event.type == "transcript-chunk"]
    told = "".join(TranscriptChunk.from_event(event).text for event in chunks)
    assert told.split()[-1] == text.split()[-1]


def test_the_recogniser_refuses_another_language(asr_server):
    async def ask() -> Error:
        client = await asr_server.client()
        await client.write_event(Transcribe(language="de").event())
        return Error.from_event(await next_event(client, "error"))

    assert "'de'" in asyncio.run(ask()).text


@pytest.fixture
def satellite(tmp_path, commands):
    """A satellite that hears a bundled recording in place of a room."""
    name = next(iter(commands))
    path = next(path for path in bundled_recordings() if path.stem == name)
    config = tmp_path / "edgeasr.toml"
    config.write_text(f'[site]\nname = "kitchen"\n[audio]\nsource = "file:{path}"\n')
    with edgeasr("satellite", "--config", config, "--area", "Kitchen") as server:
        yield server


def test_a_satellite_wakes_streams_the_command_and_answers_pings_meanwhile(satellite, commands):
    pcm, detections = next(iter(commands.values()))

    async def home_assistant() -> list[Event]:
        client = await satellite.client()
        await client.write_event(Describe().event())
        info = Info.from_event(await next_event(client, "info"))
        assert (info.satellite.name, info.satellite.area) == ("kitchen", "Kitchen")
        assert info.wake[0].models[0].phrase
        await client.write_event(RunSatellite().event())
        events, pings, sound = [], 0, 0
        while sound < RATE // 2 or pings < 5:
            await client.write_event(Ping(text=str(pings)).event())
            while (event := await asyncio.wait_for(client.read_event(), 30)).type != "pong":
                events.append(event)
                if AudioChunk.is_type(event.type):
                    sound += len(event.payload) // 2
            assert Pong.from_event(event).text == str(pings)
            pings += 1
            await asyncio.sleep(0.05)
        await client.write_event(Transcript(text="turn on the light").event())
        events.append(await next_event(client, "audio-stop"))
        await client.write_event(AudioStop().event())
        assert Played.is_type((await next_event(client, "played")).type)
        await client.disconnect()
        return events

    events = asyncio.run(home_assistant())
    kinds = [event.type for event in events]
    first = kinds.index("detection")
    assert kinds[first : first + 3] == ["detection", "run-pipeline", "streaming-started"]
    found = detections[0]
    assert Detection.from_event(events[first]).name == event_name(found.word)
    run = RunPipeline.from_event(events[first + 1])
    assert run.start_stage.value == "asr"
    assert run.wake_word_name == event_name(found.word)
    streamed = b"".join(event.payload for event in events if event.type == "audio-chunk")
    begin = round(found.end_frame * FRAME_S * RATE)  # no word after the wake word is lost
    heard = np.frombuffer(streamed, np.int16)
    whole = np.concatenate([pcm, np.zeros(RATE, np.int16)])
    length = min(len(heard), len(whole) - begin)
    assert np.array_equal(heard[:length], whole[begin : begin + length])


def test_a_satellite_can_be_paused_and_asked_to_listen(satellite):
    async def home_assistant() -> str:
        client = await satellite.client()
        await client.write_event(RunSatellite().event())
        await client.write_event(Event("run-pipeline", {"start_stage": "asr", "end_stage": "tts"}))
        run = RunPipeline.from_event(await next_event(client, "run-pipeline"))
        assert run.wake_word_name is None
        await next_event(client, "audio-chunk")
        await client.write_event(PauseSatellite().event())
        await client.write_event(Ping(text="paused").event())
        await next_event(client, "pong")
        with pytest.raises(TimeoutError):  # not one chunk more
            async with asyncio.timeout(0.5):
                await client.read_event()
        return "paused"

    assert asyncio.run(home_assistant()) == "paused"
    assert satellite.exit_status == 0


def test_a_satellite_that_can_not_hear_leaves_so_that_the_server_comes_again():
    class Broken:
        condition = detail = "lost"
        stopped = 0

        def start(self) -> None:
            raise RuntimeError("no such device")

        def stop(self) -> None:
            self.stopped += 1

    async def home_assistant() -> None:
        left = asyncio.Event()
        trigger = Late(lambda: SimpleNamespace(reset=lambda: None))
        await Satellite(source, trigger).run(None, left.set)
        await asyncio.wait_for(left.wait(), 30)

    source = Broken()
    asyncio.run(home_assistant())
    assert source.stopped == 1


def test_sure_words_are_told_once_and_the_end_completes_them():
    steady = Steady()
    hypotheses = ["turn", "turn on", "turn on the", "turn of the light", "turn on the light"]
    told = [steady.add(text) for text in hypotheses]
    assert told == ["", "turn", " on", "", ""]
    assert steady.end("turn on the light") == " the light"


def test_a_correction_of_told_words_is_left_to_the_end():
    steady = Steady()
    assert [steady.add(text) for text in ("a b c", "a b c", "x y z w")] == ["", "a b", ""]
    assert steady.end("x y z w") == " z w"


def test_sound_of_any_rate_and_width_becomes_pcm():
    tone = np.sin(np.arange(48_000) * 2 * np.pi * 440 / 48_000)
    stereo = np.repeat((tone * 2**30).astype("<i4"), 2).tobytes()
    reader = ChunkReader()
    parts = [
        reader.read(AudioChunk(rate=48_000, width=4, channels=2, audio=stereo[at : at + 8000]))
        for at in range(0, len(stereo), 8000)
    ]
    pcm = np.concatenate([*parts, reader.flush()])
    assert abs(len(pcm) - RATE) < 50
    expected = np.sin(np.arange(RATE) * 2 * np.pi * 440 / RATE) * 16_384
    assert np.abs(pcm[1000:15_000] - expected[1000:15_000]).max() < 200


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"width": 3}, "samples of 3 bytes"),
        ({"rate": 100}, "100 Hz"),
        ({"channels": 99}, "99 channels"),
        ({"audio": b"123"}, "cuts a sample"),
        ({"rate": "fast"}, "whole numbers"),
    ],
)
def test_sound_that_is_no_pcm_is_named(fields, said):
    chunk = AudioChunk(**{"rate": RATE, "width": 2, "channels": 1, "audio": b"1234", **fields})
    with pytest.raises(AudioError, match=said):
        ChunkReader().read(chunk)


def test_what_is_slow_is_loaded_once_and_a_failure_is_tried_again():
    calls = []

    def load() -> str:
        calls.append(1)
        if len(calls) == 1:
            raise ConfigError("not yet")
        return "model"

    async def twice() -> list[str]:
        late = Late(load)
        with pytest.raises(ConfigError):
            await late.get()
        return await asyncio.gather(late.get(), late.get())

    assert asyncio.run(twice()) == ["model", "model"]
    assert len(calls) == 2


@pytest.mark.parametrize("uri", ["http://x:1", "tcp://127.0.0.1", "tcp://127.0.0.1:99999", "x"])
def test_a_wrong_uri_is_named_with_the_remedy(uri):
    with pytest.raises(ConfigError, match="give tcp://HOST:PORT"):
        asyncio.run(open_server(uri, lambda *_: None))


def test_zeroconf_announces_under_a_lasting_name():
    zeroconf = pytest.importorskip("zeroconf.asyncio")

    async def announced() -> tuple:
        with pytest.raises(ConfigError, match="can not be reached"):
            await announce("kitchen-wake", "tcp://127.0.0.1:10400")
        withdraw = await announce("kitchen-wake", "tcp://0.0.0.0:10400")
        browser = zeroconf.AsyncZeroconf()
        name = "kitchen-wake._wyoming._tcp.local."
        info = await browser.async_get_service_info("_wyoming._tcp.local.", name, timeout=3000)
        await browser.async_close()
        await withdraw()
        return info.name, info.port

    try:
        assert asyncio.run(announced()) == ("kitchen-wake._wyoming._tcp.local.", 10400)
    except (OSError, ConfigError) as error:
        pytest.skip(f"no network with multicast here: {error}")


def test_a_satellite_names_its_words_for_those_who_compare_wakes():
    info = satellite_info("kitchen", None, ("computer", "hey jarvis"))
    assert info.satellite.active_wake_words == ["computer", "hey_jarvis"]
    assert [model.phrase for model in info.wake[0].models] == ["computer", "hey jarvis"]
