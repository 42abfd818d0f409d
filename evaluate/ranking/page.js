// Asks a rater to rank pictures; keeps what they say in this browser, and hands it to them as a file.
"use strict";

const data = JSON.parse(document.getElementById("data").textContent);
const at = (id) => document.getElementById(id);
const sections = ["welcome", "trial", "end"];
const LOST = "This browser keeps nothing: save your votes before you close the page.";
const state = { rater: "", trials: [], answers: {}, step: 0, picked: [], since: 0, kept: true };

// FNV-1a of a text seeds Mulberry32: the same text gives the same numbers in every browser.
function numbers(text) {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 16777619);
  return () => {
    hash = (hash + 0x6d2b79f5) | 0;
    let mixed = Math.imul(hash ^ (hash >>> 15), 1 | hash);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

function shuffled(count, text) {
  const next = numbers(text), order = [...Array(count).keys()];
  for (let last = count - 1; last > 0; last -= 1) {
    const other = Math.floor(next() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

// Samples in an order of this rater's own; the first of them come again at the end, as far away as can be.
function plan(rater) {
  const order = shuffled(data.samples.length, `${data.page}:${rater}`);
  const seen = order.map((sample) => ({ sample, repeat: false }));
  const again = order.slice(0, data.repeats).map((sample) => ({ sample, repeat: true }));
  return [...seen, ...again].map((trial) => ({
    ...trial,
    shown: shuffled(data.samples[trial.sample].pictures.length, `${data.page}:${rater}:${trial.sample}:${trial.repeat}`),
  }));
}

const place = (rater) => `pairmill-ranking:${data.page}:${rater}`;
const steps = () => state.trials.length * data.questions.length;

// A browser may forbid storage to a file that was opened from a disk: then only the page itself remembers.
function keep(name, value) {
  try {
    localStorage.setItem(name, JSON.stringify(value));
  } catch {
    state.kept = false;
  }
}

function kept(rater) {
  try {
    return JSON.parse(localStorage.getItem(place(rater))) || {};
  } catch {
    return {};
  }
}

function show(section) {
  for (const name of sections) at(name).hidden = name !== section;
  window.scrollTo(0, 0);
}

function current() {
  const trial = Math.floor(state.step / data.questions.length);
  const [question, words] = data.questions[state.step % data.questions.length];
  return { trial, question, words, ...state.trials[trial] };
}

function pictureButton(uri, number) {
  const button = document.createElement("button"), image = document.createElement("img");
  const foot = document.createElement("span"), rank = document.createElement("span");
  button.type = "button";
  image.src = uri;
  image.alt = "";
  foot.className = "foot";
  rank.className = "rank";
  foot.append(`${number + 1}`, rank);
  button.append(image, foot);
  button.addEventListener("click", () => pick(number));
  return button;
}

function ask() {
  if (state.step >= steps()) return finish();
  const now = current(), sample = data.samples[now.sample], before = state.answers[state.step];
  show("trial");
  at("where").textContent =
    `Sample ${now.trial + 1} of ${state.trials.length} · question ${(state.step % data.questions.length) + 1} of ${data.questions.length}`;
  at("done-part").style.width = `${(100 * state.step) / steps()}%`;
  at("question").textContent = now.words.title;
  at("advice").textContent = now.words.note;
  at("condition").src = sample.condition;
  at("caption").textContent = sample.caption || "no caption";
  at("pictures").replaceChildren(...now.shown.map((stored, number) => pictureButton(sample.pictures[stored], number)));
  state.picked = before ? now.shown.map((_, number) => number).sort((a, b) => rankOf(before, a) - rankOf(before, b)) : [];
  state.since = performance.now();
  at("back").disabled = state.step === 0;
  mark();
  at("question").focus({ preventScroll: true });
}

const rankOf = (answer, number) => answer.ranks[answer.shown[number]];
const complete = () => state.picked.length === current().shown.length;

function mark() {
  [...at("pictures").children].forEach((button, number) => {
    const rank = state.picked.indexOf(number) + 1;
    button.setAttribute("aria-pressed", String(rank > 0));
    button.setAttribute("aria-label", `picture ${number + 1}, ${rank ? `rank ${rank}` : "not ranked"}`);
    button.querySelector(".rank").textContent = rank || "";
  });
  const left = current().shown.length - state.picked.length;
  at("status").textContent = left ? `${left} to rank: press the ${state.picked.length ? "next best" : "best"}` : "All ranked: go on";
  at("next").disabled = left > 0;
  at("undo").disabled = state.picked.length === 0;
}

function pick(number) {
  const found = state.picked.indexOf(number);
  if (found < 0) state.picked.push(number);
  else state.picked.splice(found, 1);
  mark();
}

function undo() {
  state.picked.pop();
  mark();
}

// The answer: ranks of the pictures in the order in which the page stores them, and the places where they stood.
function next() {
  if (!complete()) return;
  const { sample, repeat, question, shown } = current(), ranks = [];
  state.picked.forEach((number, rank) => { ranks[shown[number]] = rank + 1; });
  const before = state.answers[state.step], seconds = (performance.now() - state.since) / 1000;
  const spent = Math.round(10 * ((before ? before.seconds : 0) + seconds)) / 10;
  state.answers[state.step] = { sample, repeat, question, shown, ranks, seconds: spent };
  keep(place(state.rater), state.answers);
  state.step += 1;
  ask();
}

function back() {
  if (state.step === 0) return;
  state.step -= 1;
  ask();
}

function finish() {
  show("end");
  at("saved").textContent = state.kept ? "" : LOST;
  at("save").focus();
}

function save() {
  const answers = Object.keys(state.answers).map(Number).sort((a, b) => a - b).map((step) => state.answers[step]);
  const votes = { version: 1, page: data.page, rater: state.rater, answers };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(votes, null, 1)], { type: "application/json" }));
  link.download = `votes-${data.page}-${state.rater.replace(/[^\p{L}\p{N}]+/gu, "-")}.json`;
  link.click();
  at("saved").textContent = `Saved as ${link.download}, where this browser puts downloads.`;
}

function begin(event) {
  event.preventDefault();
  state.rater = at("rater").value.normalize("NFC").trim();
  if (!state.rater) return;
  state.trials = plan(state.rater);
  state.answers = kept(state.rater);
  state.step = 0;
  while (state.answers[state.step]) state.step += 1;
  ask();
}

function moveFocus(by) {
  const buttons = [...at("pictures").children], now = buttons.indexOf(document.activeElement);
  buttons[now < 0 ? (by > 0 ? 0 : buttons.length - 1) : Math.min(Math.max(now + by, 0), buttons.length - 1)].focus();
}

const KEYS = {
  ArrowRight: () => moveFocus(1),
  ArrowDown: () => moveFocus(1),
  ArrowLeft: () => moveFocus(-1),
  ArrowUp: () => moveFocus(-1),
  Backspace: undo,
  Enter: next,
};

document.addEventListener("keydown", (event) => {
  if (at("trial").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const inSteps = document.activeElement.closest(".steps") !== null; // there Enter presses the button that has the focus
  if (event.key === "Enter" && (inSteps || !complete() || event.repeat)) return;
  const number = "123456789".indexOf(event.key);
  if (number >= 0 && number < current().shown.length) pick(number);
  else if (event.key in KEYS) KEYS[event.key]();
  else return;
  event.preventDefault();
});

at("begin").addEventListener("submit", begin);
at("next").addEventListener("click", next);
at("back").addEventListener("click", back);
at("review").addEventListener("click", back);
at("undo").addEventListener("click", undo);
at("save").addEventListener("click", save);
window.addEventListener("beforeunload", (event) => {
  if (!state.kept) event.preventDefault();
});
show("welcome");
keep(`pairmill-ranking:${data.page}`, true);
at("kept").textContent = state.kept
  ? "Your answers are kept in this browser: under the same word you go on where you left."
  : LOST;
at("rater").focus();
