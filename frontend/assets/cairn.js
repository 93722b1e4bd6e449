// Draws the figures of a page. Each is a block of JSON beside the place it is drawn in. Colours in it are
// names of style-sheet tokens, which are looked up for the theme in force. Without this script the tables
// of the page hold the same figures.
"use strict";

const CONFIG = {
  responsive: true,
  displayModeBar: false,
  displaylogo: false,
  showTips: false,
  plotlyServerURL: "",
  doubleClick: "reset",
};
const TOKEN = /^var\((--[a-z0-9-]+)\)$/;

// Only colours and fonts are looked up: a label that happens to look like a token stays as it is.
function themed(value, key, styles) {
  if (Array.isArray(value)) {
    return value.map((item) => themed(item, key, styles));
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, themed(item, name, styles)]));
  }
  const token = typeof value === "string" && /color|colorscale|family$/.test(key) && value.match(TOKEN);
  return token ? styles.getPropertyValue(token[1]).trim() : value;
}

function draw(canvas) {
  const block = document.getElementById(canvas.dataset.figure);
  const styles = getComputedStyle(document.documentElement);
  const figure = themed(JSON.parse(block.textContent), "", styles);
  return Plotly.react(canvas, figure.data, figure.layout, CONFIG);
}

// A mark leads to where its `customdata` says, on this server only.
function destination(event) {
  const link = event.points?.[0]?.customdata;
  return typeof link === "string" && /^\/(?!\/)/.test(link) ? link : null;
}

function follow(canvas) {
  canvas.on("plotly_click", (event) => {
    const link = destination(event);
    if (link !== null) {
      window.location.assign(link);
    }
  });
  canvas.on("plotly_hover", (event) => canvas.classList.toggle("leads", destination(event) !== null));
  canvas.on("plotly_unhover", () => canvas.classList.remove("leads"));
}

function drawAll() {
  return Promise.all([...document.querySelectorAll("[data-figure]")].map(draw));
}

async function start() {
  const canvases = [...document.querySelectorAll("[data-figure]")];
  for (const canvas of canvases) {
    canvas.classList.add("drawn");
    await draw(canvas);
    follow(canvas);
  }
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);

  // Paper is white, whatever the theme.
  const root = document.documentElement;
  const chosen = root.dataset.theme;
  window.addEventListener("beforeprint", () => {
    root.dataset.theme = "light";
    drawAll();
  });
  window.addEventListener("afterprint", () => {
    if (chosen === undefined) {
      delete root.dataset.theme;
    } else {
      root.dataset.theme = chosen;
    }
    drawAll();
  });
}

start();
