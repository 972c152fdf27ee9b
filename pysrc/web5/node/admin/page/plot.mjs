// A plot over time as SVG.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 320, HEIGHT = 110, TOP = 14, BOTTOM = 16;

function shape(name, attributes, text) {
  const one = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  if (text !== undefined) one.textContent = text;
  return one;
}

// Returns a figure. `series`: [{ values, className }], the first filled; `shown(number)` writes a number; `times`: seconds.
export function plot(title, times, series, shown) {
  const figure = document.createElement("figure");
  const caption = document.createElement("figcaption");
  const most = Math.max(...series.flatMap((one) => one.values), 0);
  const last = series[0].values.at(-1) ?? 0;
  const name = document.createElement("span");
  const now = document.createElement("b");
  name.textContent = title;
  now.textContent = shown(last);
  caption.append(name, now);
  const words = `${title}: now ${shown(last)}, at most ${shown(most)}`;
  const svg = shape("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": words });
  const [first, end] = [times[0] ?? 0, times.at(-1) ?? 1];
  const x = (time) => (end === first ? WIDTH : ((time - first) / (end - first)) * WIDTH);
  const y = (value) => HEIGHT - BOTTOM - (most ? value / most : 0) * (HEIGHT - TOP - BOTTOM);
  svg.append(shape("line", { class: "axis", x1: 0, x2: WIDTH, y1: y(0), y2: y(0) }));
  svg.append(shape("text", { x: 0, y: TOP - 4 }, shown(most)));
  svg.append(shape("text", { x: 0, y: HEIGHT - 3 }, clock(first)));
  svg.append(shape("text", { x: WIDTH, y: HEIGHT - 3, "text-anchor": "end" }, clock(end)));
  series.forEach(({ values, className }, index) => {
    const points = values.map((value, at) => `${x(times[at]).toFixed(1)},${y(value).toFixed(1)}`);
    if (points.length === 1) points.unshift(`0,${points[0].split(",")[1]}`);
    const line = points.join(" ");
    if (index === 0 && line) {
      svg.append(shape("polygon", { class: "area", points: `${points[0].split(",")[0]},${y(0)} ${line} ${WIDTH},${y(0)}` }));
    }
    svg.append(shape("polyline", { class: className, points: line }));
  });
  figure.append(caption, svg);
  return figure;
}

function clock(seconds) {
  return seconds ? new Date(seconds * 1000).toTimeString().slice(0, 5) : "";
}
