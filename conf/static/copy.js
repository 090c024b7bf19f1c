// Buttons that copy code and nothing else: no prompt, no number, no label of a fold, no output. Where there
// is no clipboard (a page that came over plain http from another machine), there are no buttons.
(() => {
  if (!navigator.clipboard) return;

  const trimmed = (text) => `${text.replace(/^\n+/, "").trimEnd()}\n`;
  // All text but that of summaries, which say what is folded.
  const c = (code) => {
    const copy = code.cloneNode(true);
    for (const summary of copy.querySelectorAll("summary")) summary.remove();
    return trimmed(copy.textContent);
  };
  const all = (box, selector, text, between) =>
    [...box.querySelectorAll(selector)].map(text).join(between);
  const line = (code) => code.textContent.trimEnd();
  const instruction = (row) => [...row.children].map((part) => part.textContent).join("\t");

  // What gets a button, where in it, what the button copies, and what that is called.
  const kinds = [
    [".cy-listing", ".cy-head", (box) => trimmed(all(box, ".cy-src", line, "\n")), "the source"],
    [".cy-assembly", ".cy-head", (box) => trimmed(all(box, ".cy-asm", instruction, "\n")), "the instructions"],
    [".cy-excerpt:not(.cy-assembly)", ".cy-head", (box) => all(box, ".cy-c", c, "\n"), "the C"],
    [".cy-gen, .cy-all", ".cy-facts", (box) => all(box, ".cy-c", c, "\n"), "the C"],
    // What a cell wrote is no code.
    [":not(.cell_output, .cell_output *) > div.highlight", null, (box) => trimmed(line(box.querySelector("pre"))), "the code"],
  ];

  const status = document.createElement("span");
  status.className = "copy-status";
  status.setAttribute("role", "status");

  const addButton = (box, place, text, what) => {
    const button = document.createElement("button");
    let timer;
    const say = (word) => {
      button.textContent = word;
      button.setAttribute("aria-label", `${word} ${what}`);
    };
    button.type = "button";
    button.className = "copy";
    say("Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text(box));
        say("Copied");
      } catch {
        say("Refused"); // by the browser, or by who uses it
      }
      status.textContent = button.getAttribute("aria-label");
      clearTimeout(timer);
      timer = setTimeout(() => {
        say("Copy");
        status.textContent = "";
      }, 2000);
    });
    place.append(button);
  };

  for (const [selector, where, text, what] of kinds) {
    for (const box of document.querySelectorAll(selector)) {
      const place = where ? box.querySelector(where) : box;
      if (place) addButton(box, place, text, what);
    }
  }
  document.querySelector("article")?.append(status);
})();
