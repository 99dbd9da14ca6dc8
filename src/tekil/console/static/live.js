// Pages that fill while somebody watches: parts are fetched anew each second and put in place.
"use strict";

const EVERY_MS = 1000;
const status = document.getElementById("live-status");
const source = document.getElementById("source-state");
const place = source ? source.dataset.now : "/live/now";
const shown = new Map();
let paused = false;
let chart = null;
let chartSources = "";

function put(id, html) {
  const part = document.getElementById(id);
  if (!part || shown.get(id) === html) return;
  // Reading or using a part must not be disturbed by it changing underneath.
  const held = part.contains(document.activeElement) || part.querySelector("details[open]");
  if (shown.has(id) && held) return;
  const known = new Set([...part.querySelectorAll("[data-key]")].map((row) => row.dataset.key));
  part.innerHTML = html;
  if (known.size) {
    for (const row of part.querySelectorAll("[data-key]")) {
      if (!known.has(row.dataset.key)) row.classList.add("fresh");
    }
  }
  shown.set(id, html);
}

const probe = document.createElement("span");
probe.hidden = true;
document.body.append(probe);

function colour(name) {
  // The stylesheet's colours depend on the theme; only a used one says which it is.
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}

function dressed(spec) {
  const [ink, line] = [colour("--ink-3"), colour("--line")];
  spec.config = {
    background: "transparent",
    view: { stroke: null },
    font: getComputedStyle(document.body).fontFamily,
    axis: { labelColor: ink, labelFontSize: 11, gridColor: line, domainColor: line, tickColor: line },
  };
  spec.encoding.color.scale.range = spec.usermeta.hues.map((hue) => colour(`--hue-${hue}`));
  return spec;
}

async function draw(sources) {
  const box = document.getElementById("live-chart");
  if (!box || !window.vegaEmbed) return;
  const answer = await fetch("/live/chart.json");
  if (!answer.ok) return;
  const { spec, locale } = await answer.json();
  if (chart) chart.finalize();
  // "ast" lets Vega read expressions without eval, which our pages forbid.
  chart = await window.vegaEmbed(box, dressed(spec), {
    actions: false,
    ast: true,
    defaultStyle: false,
    formatLocale: locale,
    renderer: "svg",
    tooltip: { disableDefaultStyle: true },
  });
  chartSources = sources;
}

async function follow(now) {
  const sources = now.sources.join("\n");
  if (!chart || sources !== chartSources) {
    await draw(sources);
    return;
  }
  await chart.view.data("minutes", now.minutes).runAsync();
}

async function look() {
  if (paused || document.hidden) return;
  try {
    const answer = await fetch(place, { redirect: "error" });
    if (!answer.ok) throw new Error(String(answer.status));
    const now = await answer.json();
    if (document.getElementById("live-empty") && now.empty === false) {
      location.reload();
      return;
    }
    const prefix = source ? "source-" : "live-";
    for (const [name, html] of Object.entries(now.parts)) put(prefix + name, html);
    if (status) status.classList.remove("stopped");
    if (now.minutes && document.getElementById("live-chart")) await follow(now);
  } catch {
    if (!status) return;
    status.classList.add("stopped");
    const words = status.querySelector("strong");
    if (words) words.textContent = status.dataset.stopped;
    shown.delete("live-status");
  }
}

async function keepLooking() {
  await look();
  setTimeout(keepLooking, EVERY_MS);
}

const pause = document.getElementById("live-pause");
if (pause) {
  const label = pause.textContent;
  pause.hidden = false;
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    pause.textContent = paused ? pause.dataset.resume : label;
  });
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => draw(chartSources));
document.addEventListener("visibilitychange", look);
keepLooking();
