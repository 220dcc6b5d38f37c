// Tables that sort and filter, curves that answer to the pointer and to keys, light and dark.
// Without this file everything is there to be read.
(function () {
  "use strict";
  const root = document.documentElement;
  const SVG = "http://www.w3.org/2000/svg";

  function make(tag, attributes, text) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // Light and dark -------------------------------------------------------------------------

  function remembered() {
    try { return localStorage.getItem("mcbench-theme"); } catch (error) { return null; }
  }

  function remember(theme) {
    try { localStorage.setItem("mcbench-theme", theme); } catch (error) { /* Not kept, then. */ }
  }

  const chosen = remembered();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;

  function isDark() {
    return (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  }

  function addThemeButton() {
    const button = make("button", { type: "button", id: "theme" });
    const say = () => { button.textContent = isDark() ? "Light" : "Dark"; button.setAttribute("aria-label", isDark() ? "Switch to light colours" : "Switch to dark colours"); };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      say();
    });
    say();
    document.getElementById("tools").append(button);
  }

  // Tables ---------------------------------------------------------------------------------

  // The columns' headings in the order of the cells below, also where heads have two rows.
  function leaves(table) {
    const grid = [];
    [...table.tHead.rows].forEach((row, y) => {
      let x = 0;
      for (const cell of row.cells) {
        while (grid[y] && grid[y][x]) x += 1;
        for (let dy = 0; dy < cell.rowSpan; dy += 1)
          for (let dx = 0; dx < cell.colSpan; dx += 1) (grid[y + dy] = grid[y + dy] || [])[x + dx] = cell;
        x += cell.colSpan;
      }
    });
    return grid[grid.length - 1];
  }

  function value(row, index, numeric) {
    const cell = row.cells[index];
    const text = (cell.dataset.value !== undefined ? cell.dataset.value : cell.textContent).trim();
    if (!numeric) return text;
    return text === "" || Number.isNaN(Number(text)) ? null : Number(text);
  }

  function makeSortable(table) {
    const heads = leaves(table);
    const body = table.tBodies[0];
    const original = [...body.rows];
    heads.forEach((head, index) => {
      if (!head.dataset.sort) return;
      const numeric = head.dataset.sort === "number";
      const button = make("button", { type: "button" }, head.textContent);
      if (head.dataset.name) button.setAttribute("aria-label", head.dataset.name);
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => {
        // Largest first for numbers but ranks, then the other way, then as it was.
        const first = numeric && head.textContent !== "rank" ? "descending" : "ascending";
        const second = first === "ascending" ? "descending" : "ascending";
        const now = head.getAttribute("aria-sort");
        const next = now === "none" ? first : now === first ? second : "none";
        heads.forEach((other) => { if (other.hasAttribute("aria-sort")) other.setAttribute("aria-sort", "none"); });
        head.setAttribute("aria-sort", next);
        const sign = next === "descending" ? -1 : 1;
        const rows = [...original];
        if (next !== "none") rows.sort((a, b) => {
          const x = value(a, index, numeric), y = value(b, index, numeric);
          if (x === null || y === null) return (x === null) - (y === null); // What is missing is last.
          return sign * (numeric ? x - y : x.localeCompare(y));
        });
        body.append(...rows);
      });
    });
  }

  function makeFilterable(table, number) {
    const rows = [...table.tBodies[0].rows];
    const bar = make("div", { class: "filter" });
    const field = make("input", { type: "search", id: "filter-" + number, autocomplete: "off" });
    const count = make("span", { class: "count", role: "status", "aria-live": "polite" });
    bar.append(make("label", { for: field.id }, "Filter " + table.dataset.what), field);
    let measured = null;
    if (rows.some((row) => row.classList.contains("unmeasured"))) {
      const label = make("label");
      measured = make("input", { type: "checkbox" });
      label.append(measured, " measured only");
      bar.append(label);
    }
    bar.append(count);
    table.closest(".scroll").before(bar);
    const texts = rows.map((row) => {
      const copy = row.cloneNode(true); // Which other rows cannot be told apart is no text of this one.
      copy.querySelectorAll("details").forEach((one) => one.remove());
      return copy.textContent.toLowerCase();
    });
    const apply = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, index) => {
        const text = texts[index];
        const fits = words.every((word) => text.includes(word));
        row.hidden = !fits || Boolean(measured && measured.checked && row.classList.contains("unmeasured"));
        shown += !row.hidden;
      });
      count.textContent = shown + " of " + rows.length + " " + table.dataset.what;
    };
    bar.addEventListener("input", apply);
    apply();
    // A permalink leads to its row, whatever the filter says.
    addEventListener("hashchange", () => {
      const row = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      if (row && row.hidden && table.contains(row)) { field.value = ""; if (measured) measured.checked = false; apply(); row.scrollIntoView(); }
    });
  }

  // Curves ---------------------------------------------------------------------------------

  function makeInteractive(curves) {
    const lines = [...curves.querySelectorAll(".line")];
    const readout = curves.querySelector(".readout");
    const off = { group: new Set(), pair: new Set() };
    const show = () => lines.forEach((line) => {
      line.classList.toggle("hidden", off.group.has(line.dataset.group) || off.pair.has(line.dataset.pair));
    });
    const fits = [...curves.querySelectorAll(".chart")].map((chart) => watch(chart, readout));
    for (const kind of ["group", "pair"]) {
      for (const item of curves.querySelectorAll(".legend li[data-" + kind + "]")) {
        const button = make("button", { type: "button", "aria-pressed": "true" });
        button.append(...item.childNodes);
        item.append(button);
        button.addEventListener("click", () => {
          const key = item.dataset[kind];
          if (!off[kind].delete(key)) off[kind].add(key);
          button.setAttribute("aria-pressed", String(!off[kind].has(key)));
          show();
          fits.forEach((fit) => fit());
        });
      }
    }
    readout.textContent = "Point at a curve, or focus a chart and use the arrow keys: left and right along the path, up and down between lines.";
  }

  function watch(chart, readout) {
    const figure = chart.closest("figure");
    const tip = make("div", { class: "tip", hidden: "" });
    const dot = document.createElementNS(SVG, "circle");
    dot.setAttribute("class", "dot");
    dot.setAttribute("r", "4.5");
    dot.setAttribute("visibility", "hidden");
    chart.append(dot);
    figure.append(tip);
    chart.setAttribute("tabindex", "0");
    chart.setAttribute("role", "application");
    const all = [...chart.querySelectorAll(".line")].map((line) => {
      const title = line.querySelector("title");
      const name = title.textContent;
      title.remove(); // The tip says it.
      const points = line.dataset.points.split(" ").map((text) => text.split(",").map(Number));
      return { line, name, points };
    });
    const visible = () => all.filter((one) => !one.line.classList.contains("hidden"));
    let at = null;

    function select(one, index) {
      at = { one, index };
      const [x, y, t, v] = one.points[index];
      all.forEach((other) => other.line.classList.toggle("near", other === one));
      dot.setAttribute("cx", x);
      dot.setAttribute("cy", y);
      dot.setAttribute("visibility", "visible");
      const text = one.name + ": t = " + t + ", " + v + (chart.dataset.unit ? " " + chart.dataset.unit : "");
      tip.textContent = text;
      tip.hidden = false;
      const box = chart.getBoundingClientRect(), frame = figure.getBoundingClientRect();
      const scale = box.width / chart.viewBox.baseVal.width;
      const left = box.left - frame.left + x * scale + 12, top = box.top - frame.top + y * scale + 12;
      tip.style.left = Math.max(0, left + tip.offsetWidth > frame.width ? left - tip.offsetWidth - 24 : left) + "px";
      tip.style.top = (top + tip.offsetHeight > frame.height ? top - tip.offsetHeight - 24 : top) + "px";
      readout.textContent = text;
    }

    function leave() {
      at = null;
      tip.hidden = true;
      dot.setAttribute("visibility", "hidden");
      all.forEach((one) => one.line.classList.remove("near"));
    }

    chart.addEventListener("pointermove", (event) => {
      const box = chart.getBoundingClientRect();
      const scale = chart.viewBox.baseVal.width / box.width;
      const px = (event.clientX - box.left) * scale, py = (event.clientY - box.top) * scale;
      let best = null, least = Infinity;
      for (const one of visible()) one.points.forEach(([x, y], index) => {
        const distance = (x - px) ** 2 + (y - py) ** 2;
        if (distance < least) { least = distance; best = [one, index]; }
      });
      if (best) select(...best);
    });
    chart.addEventListener("pointerleave", leave);
    chart.addEventListener("blur", leave);
    chart.addEventListener("focus", () => { const shown = visible(); if (!at && shown.length && chart.matches(":focus-visible")) select(shown[shown.length - 1], 0); });
    chart.addEventListener("keydown", (event) => {
      const shown = visible();
      if (!shown.length) return;
      if (event.key === "Escape") return leave();
      const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
      if (!(event.key in steps)) return;
      event.preventDefault();
      if (!at || !shown.includes(at.one)) return select(shown[shown.length - 1], 0);
      const [along, across] = steps[event.key];
      const next = shown[(shown.indexOf(at.one) + across + shown.length) % shown.length];
      const t = at.one.points[at.index][2];
      if (across) return select(next, nearest(next.points, t));
      select(next, Math.min(Math.max(at.index + along, 0), next.points.length - 1));
    });
    const fit = fitter(chart, all);
    return () => { leave(); fit(); };
  }

  // A function that fits the axis to the lines that are shown; with all of them it is as it was made.
  function fitter(chart, all) {
    const levels = chart.querySelector(".levels");
    const made = { levels: [...levels.childNodes], d: all.map((one) => one.line.getAttribute("d")), y: all.map((one) => one.points.map((p) => p[1])) };
    const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map((name) => Number(chart.dataset[name]));

    function draw(one, d) { one.line.setAttribute("d", d); }

    return () => {
      const shown = all.filter((one) => !one.line.classList.contains("hidden"));
      if (shown.length === all.length || !shown.length) {
        levels.replaceChildren(...made.levels);
        all.forEach((one, i) => { one.points.forEach((p, j) => { p[1] = made.y[i][j]; }); draw(one, made.d[i]); });
        return;
      }
      const values = shown.flatMap((one) => one.points.map((p) => p[3]));
      const ticks = steps(values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b)));
      const low = ticks.at[0], high = ticks.at[ticks.at.length - 1];
      const y = (value) => top + ((high - value) / (high - low)) * (bottom - top);
      for (const one of shown) {
        one.points.forEach((p) => { p[1] = y(p[3]); });
        draw(one, "M" + one.points.map((p) => p[0] + " " + p[1].toFixed(1)).join("L"));
      }
      levels.replaceChildren(...ticks.at.flatMap((tick) => {
        const line = document.createElementNS(SVG, "line"), text = document.createElementNS(SVG, "text");
        for (const [name, value] of [["x1", left], ["x2", right], ["y1", y(tick)], ["y2", y(tick)]]) line.setAttribute(name, value);
        for (const [name, value] of [["x", left - 7], ["y", y(tick) + 4], ["text-anchor", "end"]]) text.setAttribute(name, value);
        text.textContent = tick.toFixed(ticks.digits);
        return [line, text];
      }));
    };
  }

  // Round numbers around low and high, and how many digits they have.
  function steps(low, high) {
    const span = high - low || Math.abs(high) || 1;
    const unit = 10 ** Math.floor(Math.log10(span / 5));
    const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= span / 5);
    const first = Math.floor(low / step), last = Math.max(Math.ceil(high / step), first + 1);
    const at = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
    return { at, digits: Math.min(Math.max(0, -Math.floor(Math.log10(step) + 1e-9)), 10) };
  }

  function nearest(points, t) {
    let best = 0;
    points.forEach((point, index) => { if (Math.abs(point[2] - t) < Math.abs(points[best][2] - t)) best = index; });
    return best;
  }

  addEventListener("DOMContentLoaded", () => {
    addThemeButton();
    document.querySelectorAll("table.sortable").forEach(makeSortable);
    document.querySelectorAll("table.filterable").forEach(makeFilterable);
    document.querySelectorAll(".curves").forEach(makeInteractive);
  });
})();
