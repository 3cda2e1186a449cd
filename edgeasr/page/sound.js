// Spectrogram, wake scores and level: the canvases that follow the sound.

const SECONDS = 10;
const COLUMN_S = 0.02;
const COLUMNS = SECONDS / COLUMN_S;
const MELS = 80;
const LIGHT = [[232, 237, 239], [159, 207, 214], [47, 143, 160], [12, 78, 97], [10, 32, 44]];
const DARK = [[14, 24, 29], [17, 66, 78], [35, 134, 146], [122, 205, 178], [246, 244, 190]];
export const COLOURS = ["#0b8ca3", "#d9602b", "#7a5cc4", "#3a9a4f", "#c23b72", "#a8860f", "#4b78c9", "#8a5a44"];

const dark = matchMedia("(prefers-color-scheme: dark)");
const element = (id) => document.getElementById(id);

function palette() {
  const stops = dark.matches ? DARK : LIGHT;
  const table = new Uint8ClampedArray(256 * 3);
  for (let shade = 0; shade < 256; shade++) {
    const place = (shade / 255) * (stops.length - 1);
    const low = Math.min(Math.floor(place), stops.length - 2);
    for (let part = 0; part < 3; part++) {
      table[shade * 3 + part] = stops[low][part] + (stops[low + 1][part] - stops[low][part]) * (place - low);
    }
  }
  return table;
}

export class SoundView {
  constructor() {
    this.columns = []; // Uint8Array of MELS, newest last
    this.steps = [];   // {at, scores}
    this.marks = [];   // {at, text, row}
    this.now = 0;
    this.thresholds = {};
    this.colours = {};
    this.tops = {};
    this.small = new OffscreenCanvas(COLUMNS, MELS);
    this.table = palette();
    dark.addEventListener("change", () => { this.table = palette(); this.draw(); });
    addEventListener("resize", () => this.draw());
  }

  setThresholds(thresholds, words) {
    this.thresholds = thresholds;
    words.forEach((word, place) => { this.colours[word] = COLOURS[place % COLOURS.length]; });
  }

  mark(at, text, row) {
    this.marks.push({ at, text, row }); // labels on different rows do not cover each other
    this.marks = this.marks.slice(-20);
  }

  push(fields) {
    if (fields.at_s < this.now) { this.columns = []; this.steps = []; this.marks = []; }
    this.now = fields.at_s;
    const bytes = Uint8Array.from(atob(fields.mel), (letter) => letter.charCodeAt(0));
    for (let at = 0; at < bytes.length; at += MELS) this.columns.push(bytes.subarray(at, at + MELS));
    this.columns = this.columns.slice(-COLUMNS);
    const count = fields.scores.length;
    fields.scores.forEach((scores, place) => {
      this.steps.push({ at: fields.at_s - (count - 1 - place) * 0.08, scores });
      for (const [word, score] of Object.entries(scores)) {
        const top = this.tops[word];
        if (!top || score >= top.score || fields.at_s - top.at > 3 || fields.at_s < top.at) this.tops[word] = { score, at: fields.at_s };
      }
    });
    this.steps = this.steps.filter((step) => step.at > this.now - SECONDS);
    this.level(fields.level_db, fields.peak_db);
    if (!this.due) this.due = requestAnimationFrame(() => { this.due = 0; this.draw(); });
  }

  level(rms, peak) {
    const share = (db) => `${Math.max(0, Math.min(100, (db + 80) / 80 * 100))}%`;
    element("rms").style.width = share(rms);
    element("rms").style.background = peak > -1 ? "var(--bad)" : "";
    element("peak").style.left = share(peak);
    element("db").textContent = `${rms.toFixed(0)} dBFS`;
  }

  draw() {
    this.drawSpectrogram();
    this.drawScores();
    element("clock").textContent = `${this.now.toFixed(1)} s of sound`;
  }

  sized(id) {
    const canvas = element(id), ratio = devicePixelRatio || 1;
    const wide = Math.round(canvas.clientWidth * ratio), high = Math.round(canvas.clientHeight * ratio);
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    return [pen, canvas.clientWidth, canvas.clientHeight];
  }

  drawSpectrogram() {
    const [pen, wide, high] = this.sized("spectrogram");
    const picture = new ImageData(COLUMNS, MELS), first = COLUMNS - this.columns.length;
    this.columns.forEach((column, place) => {
      for (let mel = 0; mel < MELS; mel++) {
        const to = ((MELS - 1 - mel) * COLUMNS + first + place) * 4, from = column[mel] * 3;
        picture.data[to] = this.table[from];
        picture.data[to + 1] = this.table[from + 1];
        picture.data[to + 2] = this.table[from + 2];
        picture.data[to + 3] = 255;
      }
    });
    this.small.getContext("2d").putImageData(picture, 0, 0);
    pen.imageSmoothingQuality = "high";
    pen.drawImage(this.small, 0, 0, wide, high);
    const style = getComputedStyle(document.body);
    pen.font = "600 11px system-ui, DejaVu Sans, sans-serif";
    for (const { at, text, row } of this.marks) {
      const x = this.across(at, wide), top = row * 19;
      if (x < 0) continue;
      pen.fillStyle = style.getPropertyValue("--accent");
      pen.fillRect(x - 1, 0, 2, high);
      const room = pen.measureText(text).width + 10, left = x + room > wide ? x - room : x;
      pen.fillRect(left, top, room, 17);
      pen.fillStyle = style.getPropertyValue("--on-accent");
      pen.fillText(text, left + 5, top + 12.5);
    }
  }

  across(at, wide) {
    return wide * (1 - (this.now - at) / SECONDS);
  }

  drawScores() {
    const [pen, wide, high] = this.sized("scores");
    const style = getComputedStyle(document.body), down = (score) => high - 3 - score * (high - 6);
    const words = Object.keys(this.thresholds), best = {};
    for (const step of this.steps) {
      for (const word of words) best[word] = Math.max(best[word] ?? 0, step.scores[word] ?? 0);
    }
    const leader = words.reduce((lead, word) => ((best[word] ?? 0) > (best[lead] ?? -1) ? word : lead), words[0]);
    pen.lineWidth = 1.75;
    pen.lineJoin = "round";
    for (const word of words) {
      pen.strokeStyle = this.colours[word];
      pen.beginPath();
      this.steps.forEach((step, place) => {
        const x = this.across(step.at, wide), y = down(step.scores[word] ?? 0);
        if (place) pen.lineTo(x, y); else pen.moveTo(x, y);
      });
      pen.stroke();
    }
    if (leader === undefined) return;
    const y = down(this.thresholds[leader]);
    pen.setLineDash([5, 4]);
    pen.lineWidth = 1;
    pen.strokeStyle = style.getPropertyValue("--soft");
    pen.beginPath(); pen.moveTo(0, y); pen.lineTo(wide, y); pen.stroke();
    pen.setLineDash([]);
    element("leader").textContent = `threshold of “${leader}” ${this.thresholds[leader].toFixed(2)}`;
  }
}
