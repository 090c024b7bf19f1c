// Lets the keyboard scroll code that is wider than its box. Most browsers do by themselves; Safari
// does not. A tab stop on every block, wide or not, would be worse.
(() => {
  const mark = (blocks) => {
    for (const block of blocks) {
      if (block.scrollWidth > block.clientWidth) block.tabIndex = 0;
      else block.removeAttribute("tabindex");
    }
  };
  const blocks = document.querySelectorAll(".highlight pre, .table-wrapper");
  const observer = new ResizeObserver((entries) => mark(entries.map((entry) => entry.target)));
  for (const block of blocks) observer.observe(block);
  mark(blocks);
})();
