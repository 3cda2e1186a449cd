// The settings, and with a token the means to change them.

import { make } from "/make.js";

const element = (id) => document.getElementById(id);
let token = sessionStorage.getItem("token") ?? "", status = {}, writable = false, shownSettings = "";

export function allowWriting(allowed) {
  writable = allowed;
}

const FIELDS = [ // key, name, unit, step, low, high
  ["min_confidence", "Least confidence", "", 0.05, 0, 1],
  ["end_silence_ms", "Silence that ends a command", "ms", 50, 100, 5000],
  ["start_timeout_ms", "Give up when nobody speaks", "ms", 500, 500, 60000],
  ["max_utterance_ms", "Longest command", "ms", 1000, 1000, 120000],
  ["refractory_s", "Pause between wakes", "s", 0.5, 0, 60],
  ["beam", "Translator's beam", "", 1, 1, 20],
];
export function showSettings(fields) {
  status = fields;
  const unlocked = writable && token !== "", shown = JSON.stringify([fields.settings, fields.thresholds, unlocked]);
  element("unlock").hidden = !writable || unlocked;
  element("actions").hidden = !unlocked;
  element("readonly").textContent = unlocked ? "changes hold at once, and after a restart" : "read-only";
  if (shown === shownSettings || element("settings").contains(document.activeElement)) return;
  shownSettings = shown;
  const rows = [];
  const row = (name, value) => rows.push(make("dt", name), value);
  for (const [word, own] of unlocked ? Object.entries(fields.settings.words) : []) {
    const cell = make("dd"), limits = { step: 0.01, min: 0.01, max: 1 };
    const on = checkbox(own.on, `wake word ${word}`, (checked) => set({ words: { [word]: { on: checked } } }));
    const threshold = fields.thresholds[word] ?? own.threshold ?? 0.5;
    const change = (value) => set({ words: { [word]: { threshold: value } } });
    cell.append(on, " ", number(threshold.toFixed(2), limits, `threshold of ${word}`, change), make("span", "", "unit"));
    row(`“${word}”, threshold`, cell);
  }
  for (const [key, name, unit, step, min, max] of FIELDS) {
    const cell = make("dd"), value = fields.settings[key];
    if (unlocked) cell.append(number(value, { step, min, max }, name, (next) => set({ [key]: next })), make("span", unit, "unit"));
    else cell.textContent = `${value} ${unit}`.trim();
    row(name, cell);
  }
  row("Translates to", targets(fields, unlocked));
  row("Expected phrases", make("dd", fields.hints));
  element("settings").replaceChildren(...rows);
}

function targets(fields, unlocked) {
  const chosen = fields.settings.targets, cell = make("dd");
  if (!unlocked) cell.textContent = chosen.join(", ") || "nothing";
  for (const language of unlocked ? fields.languages : []) {
    const label = make("label", language, "choice");
    const change = (checked) => set({ targets: fields.languages.filter((one) => (one === language ? checked : chosen.includes(one))) });
    label.append(checkbox(chosen.includes(language), `translate to ${language}`, change));
    cell.append(label);
  }
  return cell;
}

function checkbox(checked, name, change) {
  const input = make("input");
  Object.assign(input, { type: "checkbox", checked, ariaLabel: name });
  input.onchange = () => change(input.checked);
  return input;
}

function number(value, limits, name, change) {
  const input = make("input");
  Object.assign(input, { type: "number", ...limits, value, ariaLabel: name });
  input.onchange = () => input.reportValidity() && change(Number(input.value));
  return input;
}

async function send(command, body) {
  const answer = await fetch(`/command/${command}`, {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify(body),
  }).catch(() => undefined);
  const fields = await answer?.json().catch(() => ({}));
  element("complaint").textContent = answer?.ok ? "" : fields?.message ?? "edgeasr does not answer";
  if (answer?.status === 401) {
    token = "";
    sessionStorage.removeItem("token");
    showSettings(status);
  }
}

const set = (changes) => send("set", { ...changes, persist: true });
element("listen").onclick = () => send("listen", {});
element("stop").onclick = () => send("stop", {});
element("mute").onclick = () => send("mute", { on: !status.settings.muted });
element("unlock").onsubmit = (submit) => {
  submit.preventDefault();
  token = element("token").value;
  sessionStorage.setItem("token", token);
  element("token").value = "";
  element("token").blur();
  showSettings(status);
};
