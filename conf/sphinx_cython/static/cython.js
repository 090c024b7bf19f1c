// Links what belongs together, hides kinds of C, and keeps both in the address.
// Everything here is a convenience: without it the page is complete.
(() => {
  const HIDEABLE = ["check", "refcount", "failure"];
  const FRAGMENTS = ["address", "access", "check", "call", "refcount", "failure"];
  const root = document.documentElement;
  root.classList.add("cy-js");

  // --- What is in the address: the chosen line after the #, the hidden kinds in ?hide=

  const inAddress = () => {
    const words = (new URLSearchParams(location.search).get("hide") ?? "").split(" ");
    return HIDEABLE.filter((kind) => words.includes(kind));
  };
  let hidden = inAddress();

  const setAddress = (hash) => {
    const query = new URLSearchParams(location.search);
    query.delete("hide");
    if (hidden.length) query.set("hide", hidden.join(" "));
    const search = `${query}` && `?${query}`;
    try {
      history.replaceState(history.state, "", location.pathname + search + hash);
    } catch {
      // A frame may not, nor may a page that did so too often; the address stays as it is.
    }
  };

  const choose = (line) => {
    for (const old of document.querySelectorAll(".cy-chosen")) old.classList.remove("cy-chosen");
    line?.classList.add("cy-chosen");
  };

  const findTarget = (name) => {
    try {
      return document.getElementById(name) ?? document.getElementById(decodeURIComponent(name));
    } catch {
      return null; // a percent sign that encodes nothing
    }
  };

  const openTarget = () => {
    const target = findTarget(location.hash.slice(1));
    const line = target?.matches(".cy-line") ? target : null;
    choose(line);
    const details = line?.querySelector("details");
    if (!details) return;
    details.open = true;
    line.scrollIntoView({ block: "center" });
  };

  // --- Listings: a line that is opened is in the address; all can be opened at once

  for (const listing of document.querySelectorAll(".cy-listing:not(.cy-refusal)")) {
    const lines = [...listing.querySelectorAll(".cy-open")];
    for (const line of listing.querySelectorAll(".cy-line"))
      line.dataset.cy = `${listing.dataset.example}:${line.firstElementChild.textContent}`;
    for (const details of lines) {
      const summary = details.firstElementChild;
      let pressed;
      summary.addEventListener("pointerdown", (event) => {
        pressed = event;
      });
      summary.addEventListener("click", (event) => {
        // Dragging selects, and so do further clicks; the second undoes what the first did. A click
        // by keyboard has no count.
        const moved = Math.hypot(event.clientX - pressed?.clientX, event.clientY - pressed?.clientY);
        if (event.detail && (moved > 4 || event.shiftKey || event.detail > 2)) {
          event.preventDefault();
          return;
        }
        const line = details.closest(".cy-line");
        const opens = !details.open;
        if (!opens && !line.matches(".cy-chosen")) return;
        setAddress(opens ? `#${line.id}` : "");
        choose(opens ? line : null);
      });
    }
    const links = listing.querySelector(".cy-links");
    if (lines.length < 2 || !links) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cy-toggle";
    const label = () => {
      button.textContent = lines.every((line) => line.open) ? "Close all lines" : "Open all lines";
    };
    button.addEventListener("click", () => {
      const open = !lines.every((line) => line.open);
      for (const line of lines) line.open = open;
      label();
    });
    listing.addEventListener("toggle", label, true);
    label();
    links.prepend(button);
  }

  // --- Kinds that can be hidden: a checkbox each, where the kinds are named

  const boxes = new Map();
  for (const kind of HIDEABLE) {
    const item = document.querySelector(`.cy-key:not(.cy-key-whole) [data-kind=${kind}]`);
    if (!item) continue;
    const label = document.createElement("label");
    const box = document.createElement("input");
    box.type = "checkbox";
    label.append(box, ...item.childNodes);
    item.append(label);
    boxes.set(kind, box);
    box.addEventListener("change", () => {
      hidden = HIDEABLE.filter((name) => boxes.has(name) && !boxes.get(name).checked);
      setAddress(location.hash);
      applyFilter();
    });
  }

  const applyFilter = () => {
    for (const kind of HIDEABLE) {
      root.classList.toggle(`cy-hide-${kind}`, hidden.includes(kind));
      if (boxes.has(kind)) boxes.get(kind).checked = !hidden.includes(kind);
    }
    // A fold may hold two kinds; it goes when both are hidden.
    for (const fold of document.querySelectorAll(".cy-fold[data-kinds]"))
      fold.hidden = fold.dataset.kinds.split(" ").every((kind) => hidden.includes(kind));
  };

  // --- What is copied from C is C, whatever of it is folded, and no label of a fold

  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (selection.isCollapsed) return;
    const range = selection.getRangeAt(0);
    const within = range.commonAncestorContainer;
    if (!(within.closest ? within : within.parentElement).closest(".cy-c")) return;
    const code = range.cloneContents();
    for (const label of code.querySelectorAll("summary")) label.remove();
    for (const end of code.querySelectorAll("br")) end.replaceWith("\n");
    event.clipboardData.setData("text/plain", code.textContent);
    event.preventDefault();
  });

  // --- What belongs together lights up

  // Variables of the source stand in the C with a prefix, which is an element already. They are
  // put into elements when they are first needed: most boxes are never pointed at.
  const wrapped = new WeakSet();
  const wrapNames = (box) => {
    if (wrapped.has(box)) return;
    wrapped.add(box);
    for (const prefix of box.querySelectorAll(".cy-c .cy-pfx")) {
      const text = prefix.nextSibling;
      const name = text?.nodeType === Node.TEXT_NODE && /^\w+/.exec(text.data)?.[0];
      if (!name) continue;
      text.splitText(name.length);
      const element = document.createElement("span");
      element.className = "cy-var";
      element.dataset.name = prefix.textContent === "__pyx_" ? `temporary ${name}` : name;
      prefix.before(element);
      element.append(prefix, text);
    }
  };

  const BOX = ".cy-line, .cy-cmp, .cy-excerpt";
  const named = (box, name) => [
    ...box.querySelectorAll(`.cy-var[data-name="${CSS.escape(name)}"]`),
    ...[...box.querySelectorAll(".cy-src span, .cy-head .highlight span")].filter(
      (word) => word.textContent === name && !word.firstElementChild,
    ),
  ];

  const kindOf = (element) => FRAGMENTS.find((kind) => element?.classList.contains(`cy-${kind}`));

  const related = (target) => {
    const legend = target.closest(".cy-legend [data-kind]");
    if (legend) return document.querySelectorAll(`.cy-c .cy-${legend.dataset.kind}`);
    const found = [];
    const line = target.closest("[data-cy]")?.dataset.cy;
    if (line) found.push(...document.querySelectorAll(`[data-cy="${CSS.escape(line)}"]`));
    const box = target.closest(BOX);
    if (!box) return found;
    wrapNames(box);
    const fragment = target.closest(".cy-c span[class^=cy-]:not(.cy-pfx, .cy-var, .cy-arrow)");
    const kind = kindOf(fragment);
    if (kind) found.push(...document.querySelectorAll(`.cy-legend [data-kind=${kind}]`));
    const variable = target.closest(".cy-var");
    const word = target.closest(".cy-src span, .cy-head .highlight span");
    const name = variable?.dataset.name ?? (word && /^\w+$/.exec(word.textContent)?.[0]);
    if (name) found.push(...named(box, name));
    return found;
  };

  let lit = [];
  const light = (target) => {
    for (const element of lit) element.classList.remove("cy-lit");
    lit = target instanceof Element ? [...related(target)] : [];
    for (const element of lit) element.classList.add("cy-lit");
  };
  document.addEventListener("pointerover", (event) => light(event.target));
  document.addEventListener("focusin", (event) => light(event.target));
  document.addEventListener("focusout", () => light(null));

  // One stop of the Tab key for a piece of C or a loop; arrow keys go through its parts.
  const WORDS = Object.fromEntries(
    [...document.querySelectorAll(".cy-legend [data-kind]")].map((item) => [
      item.dataset.kind,
      item.textContent.trim(),
    ]),
  );
  const parts = (group) =>
    [...group.querySelectorAll(group.matches(".cy-loop") ? ".cy-asm" : "span")].filter(
      (part) => (group.matches(".cy-loop") || kindOf(part)) && part.checkVisibility(),
    );
  for (const group of document.querySelectorAll(".cy-c, .cy-loop")) {
    const first = group.matches(".cy-loop")
      ? group.firstElementChild
      : [...group.querySelectorAll("span")].find((part) => kindOf(part) && !part.closest(".cy-fold"));
    if (first) first.tabIndex = 0;
    group.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step || event.target.matches("summary")) return;
      const all = parts(group);
      const next = all[all.indexOf(event.target) + step];
      event.preventDefault();
      if (!next) return;
      event.target.tabIndex = -1;
      next.tabIndex = 0;
      const words = WORDS[kindOf(next)];
      if (words) next.setAttribute("aria-description", words);
      next.focus();
    });
  }

  addEventListener("hashchange", openTarget);
  addEventListener("popstate", () => {
    hidden = inAddress();
    applyFilter();
  });
  applyFilter();
  openTarget();
})();
