// Lets the keyboard scroll code that is wider than its box. Most browsers do by themselves; Safari
// does not. A tab stop on every block, wide or not, would be worse.
(() => {
  const observer = new ResizeObserver((entries) => {
    // All widths are read before anything is changed: otherwise each block is laid out anew.
    const wide = entries.map(({ target }) => target.scrollWidth > target.clientWidth);
    entries.forEach(({ target }, position) => {
      if (wide[position]) target.tabIndex = 0;
      else target.removeAttribute("tabindex");
    });
  });
  // The observer tells the size of each block once at the beginning.
  for (const block of document.querySelectorAll(".highlight pre, .table-wrapper")) {
    observer.observe(block);
  }
})();
