// The status page: follows /events and shows what comes. All text is set as text, never as HTML.

import { make } from "/make.js";
import { allowWriting, showSettings } from "/settings.js";
import { SoundView } from "/sound.js";

const element = (id) => document.getElementById(id);
const sound = new SoundView();
const utterances = new Map(); // session -> what was heard
let status = {}, wordsDue = 0;

function pill(id, text, tone) {
  element(id).dataset.tone = tone;
  element(id).querySelector("b").textContent = text;
}

const DOUBTFUL = 0.3; // confidence below which a translation is better not relied on
const seconds = (value) => (value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(1)} s`);
const percent = (value) => `${Math.round(value * 100)} %`;

// --- events -----------------------------------------------------------------------------------

function utterance(event) {
  const key = event.session ?? `${event.event} ${event.at_s}`;
  if (!utterances.has(key)) utterances.set(key, { at: event.unix_s, translations: {} });
  while (utterances.size > 30) utterances.delete(utterances.keys().next().value);
  return utterances.get(key);
}

function take(event, live) {
  const own = utterance(event);
  if (event.event === "wake") {
    own.word = event.word || "button";
    own.wakeLatency = event.word ? event.latency_s : undefined;
    if (live) sound.mark(event.word_end_s, own.word, 0);
  } else if (event.event === "partial") own.partial = event.text;
  else if (event.event === "transcript") {
    own.text = event.display || event.text;
    own.confidence = event.confidence;
    own.delay = event.words.length ? event.at_s - event.end_s : undefined;
    if (live) sound.mark(event.end_s, "end of speech", 1);
  } else if (event.event === "translation") {
    own.translations[event.language] = event;
    own.text ??= event.source;
  } else if (event.event === "no_speech") own.nothing = event.reason;
  else if (event.event === "error") own.error = `${event.source}: ${event.message}`;
  else if (event.event === "intent") own.intent = event;
}

const REASONS = { silence: "nobody spoke", rejected: "no clear words", cancelled: "cancelled", end_of_stream: "the sound ended" };

function textOf(own) {
  if (own.error) return own.error;
  if (own.text) return own.text;
  if (own.nothing) return `Nothing: ${REASONS[own.nothing] ?? own.nothing}`;
  return own.partial ?? "Listening…";
}

function showHeard() {
  const own = [...utterances.values()].filter((one) => !one.error).at(-1);
  const said = element("said"), translated = element("translated");
  if (!own) return;
  const done = own.text !== undefined || own.nothing;
  said.textContent = textOf(own);
  said.className = `said ${done ? (own.nothing ? "waiting" : "") : own.partial ? "partial" : "waiting"}`;
  translated.replaceChildren(...Object.values(own.translations).map((event) => {
    const line = make("p", undefined, "translation");
    line.append(make("span", event.language, "tag"), event.text);
    if (event.confidence < DOUBTFUL) line.append(make("small", `doubtful, ${percent(event.confidence)}`));
    line.lang = event.language;
    return line;
  }));
  const facts = [];
  if (own.word) facts.push(own.word === "button" ? "asked by command" : `after “${own.word}”`);
  if (own.confidence !== undefined) facts.push(`confidence ${percent(own.confidence)}`);
  if (own.wakeLatency !== undefined) facts.push(`wake word found in ${seconds(own.wakeLatency)}`);
  if (own.delay !== undefined) facts.push(`transcript ${seconds(own.delay)} after the last word`);
  if (own.intent) facts.push(`asks for ${own.intent.intent} ${own.intent.slots.map((slot) => `${slot.name} ${slot.value}`).join(", ")}`.trim());
  element("facts").textContent = facts.join("  ·  ");
}

function showRecent() {
  const entries = [...utterances.values()].reverse().filter((own) => own.text || own.nothing || own.error);
  element("recent-empty").hidden = entries.length > 0;
  element("recent").replaceChildren(...entries.map((own) => {
    const item = make("li", undefined, own.error ? "error" : own.text ? "" : "no_speech");
    const when = make("p", undefined, "when");
    when.append(make("span", new Date(own.at * 1000).toLocaleTimeString()));
    if (own.confidence !== undefined) when.append(make("span", percent(own.confidence)));
    item.append(when, make("p", textOf(own), "text"));
    for (const event of Object.values(own.translations)) item.append(make("p", event.text, "other"));
    return item;
  }));
}

// --- attention --------------------------------------------------------------------------------

function showAttention(map) {
  const table = element("attention"), label = (piece) => piece.replace("▁", "").replace("</s>", "⏎") || "·";
  const head = make("tr");
  head.append(make("th"));
  for (const piece of map.source) {
    const cell = make("th");
    cell.append(make("span", label(piece)));
    head.append(cell);
  }
  const rows = map.target.map((piece, row) => {
    const line = make("tr");
    line.append(make("th", label(piece)));
    map.weights[row].forEach((weight, column) => {
      const cell = make("td");
      const share = Math.round(weight * 100);
      cell.style.background = `color-mix(in oklab, var(--accent) ${share}%, var(--track))`;
      cell.title = `${label(piece)} ← ${label(map.source[column])}: ${percent(weight)}`;
      line.append(cell);
    });
    return line;
  });
  const top = make("thead"), body = make("tbody");
  top.append(head);
  body.append(...rows);
  table.replaceChildren(top, body);
  element("attention-empty").hidden = true;
  element("attention-note").textContent = `to ${map.language}: rows are the translation, columns what was heard`;
}

// --- state, figures, settings -----------------------------------------------------------------

const MICROPHONES = { ok: "good", silent: "warn", starting: "warn", lost: "bad", stopped: "warn", ended: "warn" };

function showStatus(fields) {
  status = fields;
  if (!fields.site) return;
  document.title = `${fields.state} – edgeasr ${fields.site}`;
  element("site").textContent = fields.site;
  pill("state", fields.state, ["listening", "recognising"].includes(fields.state) ? "active" : fields.state === "muted" ? "warn" : "good");
  pill("microphone", `microphone ${fields.microphone}`, MICROPHONES[fields.microphone] ?? "warn");
  element("microphone").title = fields.microphone_detail;
  pill("broker", `broker ${fields.broker}`, fields.broker === "offline" ? "bad" : "good");
  element("mute").textContent = fields.settings.muted ? "Open the microphone" : "Mute";
  element("version").textContent = `edgeasr ${fields.version}, everything stays on this machine`;
  sound.setThresholds(fields.thresholds, Object.keys(fields.settings.words));
  showWords();
  showFigures(fields.metrics);
  showSettings(fields);
}

function showWords() {
  const words = Object.entries(status.settings?.words ?? {});
  element("words").replaceChildren(...words.map(([word, own]) => {
    const threshold = status.thresholds[word], top = sound.tops[word]?.score ?? 0;
    const row = make("div", undefined, own.on ? "word" : "word off"), names = make("div"), bar = make("div", undefined, "bar");
    const name = make("span"), swatch = make("span", undefined, "swatch"), fill = make("i");
    swatch.style.background = fill.style.background = sound.colours[word];
    name.append(swatch, word);
    names.append(name, make("span", own.on ? `${top.toFixed(2)} of ${threshold.toFixed(2)}` : "off"));
    fill.style.width = `${top * 100}%`;
    bar.append(fill);
    if (own.on) {
      const mark = make("em");
      mark.style.left = `${threshold * 100}%`;
      bar.append(mark);
    }
    row.append(names, bar);
    return row;
  }));
}

function age(value) {
  const hours = Math.floor(value / 3600), minutes = Math.floor(value / 60) % 60;
  return hours ? `${hours} h ${minutes} min` : minutes ? `${minutes} min` : `${Math.floor(value)} s`;
}

function showFigures(metrics) {
  const stages = metrics.stages, total = Object.values(stages).reduce((sum, stage) => sum + stage.total_s, 0);
  const mean = (name) => stages[name] && `${(stages[name].total_s / stages[name].calls * 1000).toFixed(1)} ms`;
  const rows = {
    "Running for": age(metrics.uptime_s),
    "Work on 80 ms of sound, idle": mean("idle"),
    "Work on 80 ms of sound, listening": mean("listening"),
    "Longest work so far": `${Math.max(0, ...Object.values(stages).map((stage) => stage.longest_ms)).toFixed(0)} ms`,
    "Computing per second of sound": metrics.stream_s > 1 ? `${(total / metrics.stream_s * 1000).toFixed(0)} ms` : undefined,
    "Sound waiting": seconds(metrics.backlog_s),
    "Sound lost": `${metrics.dropped_blocks} blocks, ${metrics.gaps} gaps`,
    "Memory": `${metrics.rss_mb.toFixed(0)} MB`,
    "Results waiting for the broker": metrics.outbox.waiting,
  };
  element("figures").replaceChildren(...Object.entries(rows).filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [make("dt", name), make("dd", value)]));
}

// --- the stream -------------------------------------------------------------------------------

const stream = new EventSource("/events");
const on = (name, react) => stream.addEventListener(name, (message) => react(JSON.parse(message.data)));
on("hello", (fields) => {
  document.body.classList.remove("lost");
  allowWriting(fields.writable);
  utterances.clear();
  fields.events.forEach((event) => take(event, false));
  showStatus(fields.status);
  showHeard();
  showRecent();
  if (fields.attention.length) showAttention(fields.attention.at(-1));
});
on("sound", (fields) => {
  sound.push(fields);
  wordsDue ||= setTimeout(() => { wordsDue = 0; showWords(); }, 250);
});
on("event", (event) => {
  take(event, true);
  showHeard();
  if (event.event !== "partial") showRecent();
});
on("attention", showAttention);
on("status", showStatus);
stream.onerror = () => {
  document.body.classList.add("lost");
  pill("state", "no connection", "bad");
  for (const id of ["microphone", "broker"]) element(id).dataset.tone = ""; // not known
};
