// Ranks what Sphinx's search finds, and shows the paragraph that answers.
//
// Sphinx wants every word of a question on a page and gives all pages on which they stand nearly the
// same rank. Here a page counts for each word it has, rare words more than frequent ones and words
// of its headings more than others; the result leads to the section whose heading fits best. All of
// it is worked out from the index that Sphinx writes. Loaded after searchtools.js, on the search
// page only (conf/templates/search.html).
(() => {
  const HEADING = 2.5; // the weight of a word in a heading; in the text it is 1
  const TITLE = 2; // what it counts more in the title of the page
  const PARTIAL = 0.4; // of a word that only contains the one asked for
  // Pages that answer come before those that only mention.
  const folders = [[/^examples\//, 0.7], [/^contributing\//, 0.6], [/^glossary$/, 0.8]];

  const list = (found) => (found === undefined ? [] : [].concat(found));

  // The words of a text as the index has them.
  const stemmed = (text) => [...Search._parseQuery(text)[1]];

  // The pages with a word in one of the tables of the index: page to weight.
  const pagesWith = (table, word) => {
    const found = new Map();
    if (Object.hasOwn(table, word)) {
      for (const file of list(table[word])) found.set(file, 1);
    } else if (word.length > 2) {
      for (const term of Object.keys(table))
        if (term.includes(word)) for (const file of list(table[term])) found.set(file, PARTIAL);
    }
    return found;
  };

  // Every heading with its words; the highlighted words of the query are left as they were.
  const readHeadings = (index) => {
    const kept = localStorage.getItem("sphinx_highlight_terms");
    const headings = index.titles.map(() => []);
    for (const [text, places] of Object.entries(index.alltitles)) {
      const words = stemmed(text);
      for (const [file, id] of places) headings[file].push({ text, id, words });
    }
    if (kept !== null) localStorage.setItem("sphinx_highlight_terms", kept);
    return headings;
  };

  Search._performSearch = (query, searchTerms, excludedTerms) => {
    const index = Search._index;
    const headings = readHeadings(index);
    const asked = [...searchTerms];
    const rarity = new Map();
    const scores = new Map();
    for (const word of asked) {
      const text = pagesWith(index.terms, word);
      const titles = pagesWith(index.titleterms, word);
      const pages = new Set([...text.keys(), ...titles.keys()]);
      rarity.set(word, Math.log(1 + index.titles.length / (pages.size || 0.5)));
      for (const file of pages) {
        const weight = Math.max(text.get(file) ?? 0, HEADING * (titles.get(file) ?? 0));
        scores.set(file, (scores.get(file) ?? 0) + rarity.get(word) * weight);
      }
    }
    const sum = (words) => words.reduce((total, word) => total + (rarity.get(word) ?? 0), 0);
    const all = sum(asked);
    const phrase = asked.join(" ");

    const results = [];
    for (const [file, score] of scores) {
      if ([...excludedTerms].some((word) => pagesWith(index.terms, word).get(file) === 1)) continue;
      const has = (word) =>
        list(index.terms[word]).includes(file) || list(index.titleterms[word]).includes(file);
      const covered = sum(asked.filter(has)) / all;
      let best = { fit: 0, id: null };
      for (const { text, id, words } of headings[file]) {
        const shared = sum(asked.filter((word) => words.includes(word)));
        // How much of the question is in the heading, and of the heading in the question.
        const fit =
          (shared / all) * (0.6 + (0.4 * shared) / (sum(words) + words.filter((w) => !rarity.has(w)).length || 1))
          + (words.join(" ").includes(phrase) && asked.length > 1 ? 0.3 : 0);
        if (fit > best.fit) best = { fit, id, text };
      }
      const title = index.titles[file];
      const inTitle = sum(asked.filter((word) => stemmed(title).includes(word)));
      const prior = folders.find(([pattern]) => pattern.test(index.docnames[file]))?.[1] ?? 1;
      const rank = prior * (score + TITLE * inTitle + 6 * all * best.fit ** 2) * (0.2 + covered ** 2);
      const section = best.fit > 0.3 && best.id !== null && best.text !== title;
      results.push([
        index.docnames[file],
        section ? `${title} › ${best.text}` : title,
        section ? `#${best.id}` : "",
        null,
        Math.round(100 * rank) / 100,
        index.filenames[file],
        section ? SearchResultKind.title : SearchResultKind.text,
      ]);
    }
    // The last is shown first. A long tail of pages with one of the words helps nobody.
    results.sort((a, b) => a[4] - b[4] || (a[0] < b[0] ? 1 : -1));
    const top = results.at(-1)?.[4] ?? 0;
    return results.filter((result) => result[4] > 0.15 * top).slice(-20);
  };

  // The paragraph in which most of the words stand, instead of what stands around the first one.
  Search.makeSearchSummary = (html, keywords, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("[role=main]");
    const part = (anchor && main?.querySelector(anchor)) || main;
    if (!part) return null;
    for (const left of part.querySelectorAll(".headerlink, .cy-c, .cy-gen, .cy-loop, style, script"))
      left.remove();
    const words = [...keywords];
    let best = { hits: -1, text: "" };
    for (const block of part.querySelectorAll("p, li, dd, tr, .highlight pre")) {
      const text = block.textContent.trim().replace(/\s+/g, " ");
      const hits = words.filter((word) => text.toLowerCase().includes(word)).length;
      if (text && hits > best.hits) best = { hits, text };
    }
    const summary = document.createElement("p");
    summary.className = "context";
    const cut = best.text.length > 240;
    summary.textContent = cut ? `${best.text.slice(0, 240).replace(/\s\S*$/, "")} …` : best.text;
    return summary;
  };

  // Opened as a file, a page may not read another one.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;
})();
