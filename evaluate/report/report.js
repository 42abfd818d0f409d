// Makes a report easier to read with a mouse or a keyboard; without it nothing but the list of every sample is missing.
"use strict";

const at = (id) => document.getElementById(id);
const zoom = at("zoom");
const held = at("samples");
const PAGE = 60; // samples that are shown at once
const state = { shown: [], count: PAGE, open: -1 };
const samples = held ? JSON.parse(held.textContent) : null;

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

const column = (name) => samples.measures[name] || samples.traits[name];
const written = (value) => (value === null ? "–" : value.toPrecision(3));
const strip = (place) => `data:image/webp;base64,${samples.strips[place]}`;

// A larger view of any picture of the page.
function enlarge(source, alt, rows, caption) {
  at("zoomed").src = source;
  at("zoomed").alt = alt;
  at("zoom-caption").textContent = caption;
  at("zoom-rows").replaceChildren(...rows.map(([name, value]) => {
    const row = element("tr");
    row.append(element("td", "", name), element("td", "", value));
    return row;
  }));
  if (!zoom.open) zoom.showModal();
}

function open(number) {
  if (number < 0 || number >= state.shown.length) return;
  state.open = number;
  const place = state.shown[number];
  const named = [...Object.keys(samples.measures), ...Object.keys(samples.traits)];
  const rows = named.map((name) => [name, written(column(name)[place])]);
  enlarge(strip(place), "condition, drawn, re-annotated", [...rows, ["key", samples.keys[place]]], samples.captions[place]);
}

function card(number) {
  const place = state.shown[number], name = at("order").value;
  const button = element("button", "card"), picture = element("img");
  button.type = "button";
  picture.src = strip(place);
  picture.alt = "condition, drawn, re-annotated";
  button.append(picture, element("b", "", written(column(name)[place])), element("span", "", samples.captions[place]));
  button.addEventListener("click", () => open(number));
  return button;
}

function draw() {
  const last = Math.min(state.count, state.shown.length);
  at("cards").replaceChildren(...Array.from({ length: last }, (_, number) => card(number)));
  at("found").textContent = `${state.shown.length} of ${samples.keys.length} samples`;
  at("more").hidden = last === state.shown.length;
}

const limit = (id, otherwise) => (at(id).value === "" ? otherwise : Number(at(id).value));

function choose() {
  const values = column(at("order").value), words = at("words").value.trim().toLowerCase();
  const least = limit("least", -Infinity), most = limit("most", Infinity), sign = at("direction").value === "up" ? 1 : -1;
  state.shown = samples.keys.map((_, place) => place).filter((place) => {
    const value = values[place] === null ? NaN : values[place];
    const bound = at("least").value === "" && at("most").value === "" ? true : value >= least && value <= most;
    return bound && samples.captions[place].toLowerCase().includes(words);
  });
  state.shown.sort((one, other) => sign * ((values[one] ?? sign * Infinity) - (values[other] ?? sign * Infinity)) || one - other);
  state.count = PAGE;
  draw();
}

// Arrow keys walk over the cards as they lie on the page.
function walk(event) {
  const cards = [...at("cards").children], here = cards.indexOf(document.activeElement);
  if (here < 0) return;
  const across = cards.findIndex((card) => card.offsetTop > cards[0].offsetTop);
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across < 0 ? 1 : across, ArrowUp: across < 0 ? -1 : -across }[event.key];
  if (step && cards[here + step]) {
    cards[here + step].focus();
    event.preventDefault();
  }
}

function begin() {
  for (const name of [...Object.keys(samples.measures), ...Object.keys(samples.traits)]) at("order").append(new Option(name, name));
  at("order").value = held.dataset.primary;
  at("direction").value = samples.higher[held.dataset.primary] ? "up" : "down";
  for (const id of ["order", "direction"]) at(id).addEventListener("change", choose);
  for (const id of ["words", "least", "most"]) at(id).addEventListener("input", choose);
  at("more").addEventListener("click", () => {
    state.count += PAGE;
    draw();
  });
  at("cards").addEventListener("keydown", walk);
  at("every").hidden = false;
  choose();
}

for (const picture of document.querySelectorAll(".sample img")) {
  picture.tabIndex = 0;
  picture.setAttribute("role", "button");
  const show = () => {
    state.open = -1;
    const said = picture.closest(".sample").querySelector("q");
    enlarge(picture.src, picture.alt, [[picture.alt, picture.closest(".sample").querySelector(".said b").textContent]], said.textContent);
  };
  picture.addEventListener("click", show);
  picture.addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      show();
    }
  });
}
zoom.addEventListener("click", (event) => {
  if (event.target === zoom) zoom.close();
});
document.addEventListener("keydown", (event) => {
  if (zoom.open && state.open >= 0 && event.key === "ArrowRight") open(state.open + 1);
  if (zoom.open && state.open >= 0 && event.key === "ArrowLeft") open(state.open - 1);
  if (event.key === "/" && samples && document.activeElement.tagName !== "INPUT") {
    event.preventDefault();
    at("words").focus();
  }
});
if (samples) begin();
