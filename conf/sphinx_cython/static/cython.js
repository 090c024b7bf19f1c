// Opens the line that the address names, and adds a button that opens all lines of a listing.
// Everything here is a convenience: without it the page is complete.
(() => {
  const openTarget = () => {
    const line = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const details = line && line.matches(".cy-line") && line.querySelector("details");
    if (details) {
      details.open = true;
      line.scrollIntoView({ block: "center" });
    }
  };

  for (const listing of document.querySelectorAll(".cy-listing:not(.cy-refusal)")) {
    const lines = [...listing.querySelectorAll(".cy-open")];
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

  addEventListener("hashchange", openTarget);
  openTarget();
})();
