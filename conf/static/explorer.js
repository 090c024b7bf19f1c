// The strides explorer. One state, the view; everything on the page is drawn from it, and every
// control changes it. The arithmetic is in strides.js. The page comes with the picture of the first
// array, which conf/pictures/explorer.py draws in the same form.
"use strict";

const StridesExplorer = (() => {
  const escape = (text) =>
    text.replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign]);
  const minus = (number) => String(number).replace("-", "−");
  const range = (length) => Array.from({ length }, (_, number) => number);
  const short = (value) => minus(Number(value.toPrecision(6)));

  // The memory of the page: what strides.js needs, and the bytes themselves.
  const remember = (data) => {
    const bytes = new Uint8Array(data.contents.match(/../g).map((pair) => parseInt(pair, 16)));
    return { size: bytes.length, itemsize: data.itemsize, pointers: data.pointers, c: data.c,
      bytes: new DataView(bytes.buffer) };
  };
  const value = (memory, byte) => memory.bytes.getFloat64(byte, true);

  // What every drawing needs to know: where each index leads.
  const survey = (view, memory) => {
    const all = Strides.indices(view.shape).map((index) => [index, Strides.locate(view, index, memory)]);
    const now = view.shape.includes(0) ? null : Strides.locate(view, view.index, memory);
    return { all, now, places: new Map(all.map(([index, place]) => [String(index), place])) };
  };

  const cell = (view, memory, index, place) => {
    const current = String(index) === String(view.index) ? "now" : "";
    const out = place.outside ? "out" : "";
    const words = place.outside ? "×" : short(value(memory, place.byte));
    const byte = place.byte === null ? "?" : minus(place.byte);
    const spoken = place.outside ? '<span class="cy-sr">outside, byte </span>' : "";
    return `<td data-index="${index}" class="${[current, out].filter(Boolean).join(" ")}">`
      + `<b>${words}</b><small>${spoken}${byte}</small></td>`;
  };

  const grid = (view, memory, places, before) => {
    const shape = view.shape.slice(before.length);
    const columns = shape.at(-1);
    const head = range(columns).map((j) => `<th scope="col">${j}</th>`).join("");
    const row = (index) => range(columns)
      .map((j) => cell(view, memory, [...index, j], places.get(String([...index, j])))).join("");
    const title = `a[${[...before, ..."ijk".slice(before.length, view.shape.length)].join(", ")}]`;
    const body = shape.length === 1
      ? `<tr>${row(before)}</tr>`
      : range(shape[0]).map((i) => `<tr><th scope="row">${i}</th>${row([...before, i])}</tr>`).join("");
    return `<table class="ex-grid"><caption>${title}</caption><thead><tr>`
      + `${shape.length === 1 ? "" : "<td></td>"}${head}</tr></thead><tbody>${body}</tbody></table>`;
  };

  const grids = (view, memory, { places }) => {
    if (view.shape.includes(0)) return "<p>No elements.</p>";
    const planes = view.shape.length === 3 ? range(view.shape[0]).map((i) => [i]) : [[]];
    return planes.map((before) => grid(view, memory, places, before)).join("");
  };

  // A row of boxes of `length` bytes each, with up to four on either side if an access goes there.
  const strip = (label, size, length, hits, current, text) => {
    const far = Math.max(size, ...hits.map((byte) => byte + length));
    const near = Math.min(0, ...hits);
    const first = Math.max(-4, Math.floor(near / length));
    const last = Math.min(size / length + 4, Math.ceil(far / length));
    const reached = new Set(hits.flatMap((byte) => range(length).map((n) => byte + n)));
    const isNow = (byte) => current !== null && byte >= current && byte < current + length;
    const boxes = range(last - first).map((number) => {
      const start = (first + number) * length;
      const bytes = range(length).map((n) => start + n);
      const marks = bytes
        .map((byte) => `<i class="${isNow(byte) ? "now" : reached.has(byte) ? "hit" : ""}"></i>`);
      const outside = start < 0 || start >= size;
      return `<li${outside ? ' class="out"' : ""}${bytes.some(isNow) ? ' aria-current="true"' : ""}>`
        + `<b>${outside ? "×" : text(start)}</b><span class="ex-bytes">${marks.join("")}</span>`
        + `<small>${minus(start)}</small></li>`;
    });
    return `<p>${label}</p><ol class="ex-strip">${boxes.join("")}</ol>`;
  };

  const strips = (view, memory, { all, now }) => {
    const known = (places) => places.filter((place) => place !== null);
    const { size, itemsize, pointers } = memory;
    const table = view.indirect
      ? strip(`table t of ${pointers.length} pointers`, pointers.length * Strides.POINTER,
        Strides.POINTER, all.map(([, { entry }]) => entry), now?.entry ?? null,
        (start) => `b + ${pointers[start / Strides.POINTER]}`)
      : "";
    return table + strip(`${size} bytes of the buffer b`, size, itemsize,
      known(all.map(([, { byte }]) => byte)), now?.byte ?? null,
      (start) => short(value(memory, start)));
  };

  // Says that the bytes from `first` on are not in a block of `size` bytes.
  const outside = (side, first, length, whole, size) =>
    `<strong>${side === "before" ? `Byte ${minus(first)} is before ${whole}`
      : `Byte ${minus(first + length - 1)} is behind ${whole}, whose last byte is ${size - 1}`}</strong>`;

  const words = (view, memory, { all, now }) => {
    if (!now) return "<p>The array has no elements, so no index reaches anything.</p>";
    const { itemsize, size } = memory;
    const name = `<code>a[${view.index.join(", ")}]</code>`;
    const term = (dim) => `${view.index[dim]} × ${minus(view.strides[dim])}`;
    const dims = range(view.shape.length);
    let text, start = minus(view.offset), steps = dims;
    if (view.indirect) {
      text = `The pointer for ${name} is at byte ${start} + ${term(0)} = <b>${minus(now.entry)}</b> of the table`;
      if (now.entryOutside) {
        const size = memory.pointers.length * Strides.POINTER;
        const why = now.entryOutside === "between"
          ? "No pointer begins there: a piece of one and a piece of the next are taken for a pointer"
          : `${outside(now.entryOutside, now.entry, Strides.POINTER, "the table", size)}: something`
            + " else is taken for a pointer";
        return `<p>${text}. ${why}, and where it leads is undefined.</p>${total(all)}`;
      }
      text += ` and leads to byte ${now.pointer} of the buffer. The element`;
      start = `${now.pointer} + ${minus(view.suboffset)}`;
      steps = dims.slice(1);
    } else text = name;
    const byte = minus(now.byte), last = minus(now.byte + itemsize - 1);
    text += ` is at byte ${[start, ...steps.map(term)].join(" + ")} = <b>${byte}</b>. `;
    if (now.outside) {
      text += `${outside(now.outside, now.byte, itemsize, "the buffer", size)}: the load would take`
        + " memory that belongs to somebody else.";
    } else {
      text += `The load takes the bytes ${byte} to ${last} and gives <b>${short(value(memory, now.byte))}</b>.`;
      if (now.byte % itemsize)
        text += ` ${byte} is not a multiple of ${itemsize}: that is the end of one element and the`
          + " beginning of the next.";
    }
    return `<p>${text}</p>${total(all)}`;
  };

  const total = (all) => {
    const out = all.filter(([, place]) => place.outside).length;
    return out
      ? `<p><strong>${out} of ${all.length} accesses would leave the buffer.</strong></p>`
      : `<p>All ${all.length} accesses stay in the buffer.</p>`;
  };

  // The C of the layout with the numbers put in for the names.
  const code = (view, memory) => {
    const { html, parts } = memory.c[view.indirect ? "indirect" : view.shape.length];
    let left = 0;
    const base = `${view.indirect ? "t" : "b"} ${view.offset < 0 ? "-" : "+"} ${Math.abs(view.offset)}`;
    const fill = (text) => text
      .replace(/__pyx_v_a\.data/g, base)
      .replace(/__pyx_v_a\.strides\[(\d)\]/g, (_, dim) => view.strides[dim])
      .replace(/__pyx_v_a\.suboffsets\[0\]/g, view.suboffset)
      .replace(/__pyx_t_\d+/g, () => view.index[left++]);
    const filled = parts.map(([tag, text]) =>
      `<span class="cy-${tag}">${escape(fill(text)).replace(/\((?=\w)/g, "(<wbr>")}</span>`).join("");
    return `<p>C that Cython writes</p><div class="cy-c">${html}</div>`
      + `<p>with the numbers</p><div class="cy-c">${filled}</div>`;
  };

  const verdicts = (view, memory) => {
    const takes = (declaration) => view.suboffset < 0 && !declaration.includes("indirect")
      ? "takes it, and takes the pointers for numbers" : "takes it";
    const items = Strides.verdicts(view, memory.itemsize).map(([declaration, why]) =>
      `<li class="${why ? "refused" : "taken"}"><code>${declaration}</code> `
      + `${why ? `refuses it: ${minus(why)}` : takes(declaration)}</li>`);
    return `<p>Would an argument of this type take a?</p><ul>${items.join("")}</ul>`;
  };

  const PARTS = { grids, strips, words, code, verdicts };

  // The HTML of each part of the picture.
  const draw = (view, memory) => {
    const found = survey(view, memory);
    return Object.fromEntries(
      Object.entries(PARTS).map(([name, part]) => [name, part(view, memory, found)]));
  };

  // A labelled number that can be changed.
  const field = (group, dim, label) =>
    `<label>${label}<input type="number" data-group="${group}" data-dim="${dim}" inputmode="numeric"`
    + ` step="${/shape|index/.test(group) ? 1 : 8}"></label>`;

  const fields = (view) => {
    const dims = range(view.shape.length);
    const list = (name) =>
      `<fieldset><legend>${name}</legend>${dims
        .map((dim) => field(name, dim, `<span class="cy-sr">${name} of dimension </span>${dim}`)).join("")}</fieldset>`;
    const one = (name) => `<fieldset><legend>${name}</legend>`
      + `${field(name, "", `<span class="cy-sr">${name} in bytes</span>`)}</fieldset>`;
    return list("shape") + list("strides") + one("offset")
      + (view.indirect ? one("suboffset") : "") + list("index");
  };

  const start = (root) => {
    const data = JSON.parse(root.querySelector("script").textContent);
    const memory = remember(data);
    const part = Object.fromEntries(
      [...root.querySelectorAll("[data-part]")].map((element) => [element.dataset.part, element]));
    const fresh = ({ title, ...view }) => view;
    const direct = fresh(data.starts[0]);
    const pointers = fresh(data.starts.find((view) => view.indirect));
    let view = Strides.parse(location.hash) ?? direct;
    let origin = view;
    const past = [];
    const shown = {};
    let drawn = "", edited = "";

    root.insertAdjacentHTML("afterbegin", `<div class="ex-controls">
      <p class="ex-line"><label>a = <select><option value="" hidden>your own numbers</option>${
        data.starts.map(({ title }, number) =>
          `<option value="${number}">${escape(title)}</option>`).join("")}</select></label>
      <label><input type="checkbox"> through a table of pointers</label></p>
      <div class="ex-line" role="group" aria-label="Apply to the array a" data-operations></div>
      </div>`);
    part.grids.insertAdjacentHTML("afterend",
      `<form class="ex-fields" aria-label="Numbers of the array a"><div class="ex-numbers"></div>
      <p><button type="button" data-undo>Undo</button>
      <button type="button" data-reset>Reset</button></p></form>`);
    const form = root.querySelector("form"), select = root.querySelector("select");
    const pointerBox = root.querySelector("[type=checkbox]");
    const buttons = root.querySelector("[data-operations]");
    const [undo, reset] = root.querySelectorAll("[data-undo], [data-reset]");
    part.grids.parentElement.insertAdjacentHTML("beforebegin",
      '<p class="ex-hint">Drag across the cells, or use the arrow keys in them.</p>');

    const layout = (other) => Strides.format({ ...other, index: [] });
    const cells = () => [...part.grids.querySelectorAll("[data-index]")];

    const show = () => {
      const html = draw(view, memory);
      const focused = part.grids.contains(document.activeElement);
      for (const [name, element] of Object.entries(part))
        if (shown[name] !== html[name]) element.innerHTML = shown[name] = html[name];
      for (const table of part.grids.querySelectorAll("table")) {
        table.setAttribute("role", "grid");
        table.setAttribute("aria-label", table.caption.textContent);
      }
      for (const item of cells()) {
        const current = item.classList.contains("now");
        item.setAttribute("role", "gridcell");
        item.setAttribute("aria-selected", current);
        item.tabIndex = current ? 0 : -1;
        if (current && focused) item.focus({ preventScroll: true });
        if (current) reveal(item);
      }
      showFields();
      showButtons();
      pointerBox.checked = view.indirect;
      const same = data.starts.findIndex((other) => layout(other) === layout(view));
      select.value = same < 0 ? "" : same;
      undo.disabled = past.length === 0;
    };

    // Only sideways, inside the box of the grid: the page must not jump.
    const reveal = (item) => {
      const frame = 4;
      const box = part.grids.getBoundingClientRect(), cell = item.getBoundingClientRect();
      const before = box.left + frame - cell.left, behind = cell.right - box.right + frame;
      if (before > 0) part.grids.scrollLeft -= before;
      else if (behind > 0) part.grids.scrollLeft += behind;
    };

    const showFields = () => {
      const kind = `${view.shape.length}${view.indirect}`;
      if (kind !== drawn) form.firstElementChild.innerHTML = fields(view);
      drawn = kind;
      for (const input of form.elements) {
        if (input.tagName !== "INPUT") continue;
        const { group, dim } = input.dataset;
        const number = dim === "" ? view[group] : view[group][dim];
        // Not while it is typed into: "-" and "" are on the way to a number.
        if (input !== document.activeElement) input.value = number;
        const far = group === "shape" ? [0, Strides.LONGEST[view.shape.length]]
          : group === "index" ? [0, Math.max(0, view.shape[dim] - 1)]
          : [-Strides.FARTHEST, Strides.FARTHEST];
        [input.min, input.max] = far;
      }
    };

    const showButtons = () => {
      const focused = buttons.contains(document.activeElement)
        ? [...buttons.children].indexOf(document.activeElement) : -1;
      const all = Strides.operations(view, memory);
      buttons.innerHTML = all.map(([text, result]) =>
        `<button type="button"${result ? "" : " disabled"}><code>${text}</code></button>`).join("");
      [...buttons.children].forEach((button, number) => {
        button.addEventListener("click", () => go(all[number][1]));
      });
      // The one that was pressed, or its neighbour if it is gone or can do no more.
      if (focused >= 0)
        (buttons.children[focused]?.disabled === false ? buttons.children[focused]
          : buttons.querySelector("button:not([disabled])"))?.focus({ preventScroll: true });
    };

    // The address is written a moment after the last small change: browsers allow only so many.
    let pending = 0;
    const write = (how) => {
      clearTimeout(pending);
      pending = 0;
      history[how](null, "", `#${Strides.format(view)}`);
    };

    // A step that Undo and the browser's Back go back over; small ones belong to the step before.
    const go = (next, small = false) => {
      if (small) {
        clearTimeout(pending);
        pending = setTimeout(write, 200, "replaceState");
      } else {
        if (pending) write("replaceState");
        past.push(view);
      }
      view = next;
      if (!small) write("pushState");
      show();
    };

    const move = (index) => {
      if (String(index) !== String(view.index)) go(Strides.settled({ ...view, index }), true);
    };

    select.addEventListener("change", () => {
      origin = fresh(data.starts[select.value]);
      go(origin);
    });
    pointerBox.addEventListener("change", () => go(view.indirect ? direct : pointers));
    reset.addEventListener("click", () => go(origin));
    undo.addEventListener("click", () => {
      view = past.pop();
      write("replaceState");
      show();
      if (undo.disabled) reset.focus();
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("input", ({ target }) => {
      const { group, dim } = target.dataset;
      const number = target.valueAsNumber;
      if (!Number.isInteger(number) || number < target.min || number > target.max) return;
      const changed = dim === "" ? number
        : view[group].map((old, place) => (place === Number(dim) ? number : old));
      // Typing "12", or holding an arrow of the field, is one step.
      const name = group + dim;
      go(Strides.settled({ ...view, [group]: changed }), group === "index" || name === edited);
      edited = name;
    });
    form.addEventListener("focusout", () => {
      edited = "";
      showFields();
    });

    const at = ({ clientX, clientY }) => {
      const found = document.elementFromPoint(clientX, clientY)?.closest("[data-index]");
      return found && part.grids.contains(found) ? found.dataset.index.split(",").map(Number) : null;
    };
    part.grids.addEventListener("pointerdown", (event) => {
      const index = at(event);
      if (!index || event.button !== 0) return;
      // The cells are drawn anew while the pointer moves, so their box gets its events.
      part.grids.setPointerCapture(event.pointerId);
      event.preventDefault();
      move(index);
      cells().find((item) => item.tabIndex === 0)?.focus({ preventScroll: true });
    });
    part.grids.addEventListener("pointermove", (event) => {
      if (!part.grids.hasPointerCapture(event.pointerId)) return;
      const index = at(event);
      if (index) move(index);
    });

    part.grids.addEventListener("keydown", (event) => {
      const last = view.shape.length - 1;
      const steps = { ArrowLeft: [last, -1], ArrowRight: [last, 1], ArrowUp: [last - 1, -1],
        ArrowDown: [last - 1, 1], PageUp: [last - 2, -1], PageDown: [last - 2, 1],
        Home: [last, -Infinity], End: [last, Infinity] };
      const [dim, step] = steps[event.key] ?? [-1];
      if (dim < 0 || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      const moved = Math.max(0, Math.min(view.shape[dim] - 1, view.index[dim] + step));
      move(view.index.map((old, place) => (place === dim ? moved : old)));
    });

    addEventListener("popstate", () => {
      const found = Strides.parse(location.hash) ?? (location.hash ? null : direct);
      if (!found) return;
      clearTimeout(pending);
      pending = 0;
      if (past.length && Strides.format(past.at(-1)) === Strides.format(found)) past.pop();
      view = found;
      show();
    });
    show();
    // Only now: what is there from the beginning is no news.
    part.words.setAttribute("aria-live", "polite");
    root.dataset.ready = "";
  };

  return { draw, remember, start };
})();

for (const root of document.querySelectorAll("[data-explorer]")) StridesExplorer.start(root);
