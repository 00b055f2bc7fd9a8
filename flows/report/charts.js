"use strict";
// Draws each chart from the specification beside it, in the page's colours of the moment.
const dark = window.matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

function theme() {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = getComputedStyle(document.body).fontFamily;
  return {
    background: "transparent",
    font,
    view: { stroke: null },
    axis: {
      domainColor: colour("--line"),
      gridColor: colour("--grid"),
      tickColor: colour("--line"),
      labelColor: colour("--soft"),
      titleColor: colour("--soft"),
      labelFontSize: 12,
      titleFontSize: 12.5,
      titleFontWeight: 500,
      titlePadding: 10,
      labelPadding: 5,
    },
    legend: {
      labelColor: colour("--ink"),
      titleColor: colour("--soft"),
      labelFontSize: 12.5,
      titleFontSize: 12.5,
      titleFontWeight: 500,
      rowPadding: 4,
      columnPadding: 22,
      symbolBaseStrokeColor: colour("--soft"),
      symbolOpacity: 1,
    },
    text: { color: colour("--soft"), font },
    rule: { color: colour("--soft") },
  };
}

function draw() {
  for (const place of document.querySelectorAll(".chart")) {
    const specification = JSON.parse(document.getElementById(place.dataset.specification).text);
    delete specification.config;
    drawn.get(place)?.finalize();
    vegaEmbed(place, specification, {
      actions: false,
      config: theme(),
      renderer: place.dataset.renderer,
      tooltip: { theme: "custom" },
    }).then((result) => drawn.set(place, result));
  }
}

draw();
dark.addEventListener("change", draw);
