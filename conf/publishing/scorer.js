/* How search ranks pages and what it shows of them: Sphinx's search and index, with another order.

Sphinx puts this behind its own script (html_search_scorer). Its ranking asks for every word of the
query and takes the best word for the whole. People ask in sentences, and paste error messages whose
types are not those of a page; so here a page gains by every word it has, the more the rarer the
word is on this site, and most by words in a heading. The heading that fits best is where the link
leads. What of Sphinx's script is replaced here, SPHINX_CALLS of search.py lists. */
"use strict";

{
  // Titles that hold the query as it was typed: on the scale of 0 to 100 used below.
  Scorer.title = 100;

  // A page that explains comes before a page that names every subject in passing, lists questions,
  // defines words, lists code or is about this site. A message pasted whole still leads to its heading.
  const PLACES = [
    [/^guide\/(?:error-messages|what-can-go-wrong)$/, 0.8],
    [/^guide\/compile-errors$/, 0.9],
    [/^guide\/the-answer-checked$/, 0.8],
    [/^guide\/more-questions$/, 0.75],
    [/^questions$/, 0.3],
    [/^examples\//, 0.6],
    [/^contributing\//, 0.5],
    [/^glossary$/, 0.6],
  ];

  Scorer.score = ([docname, , , , score]) => {
    const place = PLACES.find(([pattern]) => pattern.test(docname));
    return Math.round(score * (place ? place[1] : 1));
  };

  // Beside longer words single letters, such as the C of “C-contiguous”, do not count: they would be
  // marked in every word of the results.
  const split = splitQuery;
  splitQuery = (query) => {
    const words = split(query);
    const longer = words.filter((word) => word.length > 1);
    return longer.length ? longer : words;
  };

  let index;
  const setIndex = Search.setIndex;
  Search.setIndex = (given) => {
    index = given;
    setIndex(given);
  };

  const stemmer = new Stemmer();
  const stems = (text) => new Set(splitQuery(text.toLowerCase()).map((w) => stemmer.stemWord(w)));
  const list = (files) => (files === undefined ? [] : [files].flat());

  // A word that is nowhere on its own may be part of another, as `view` of `memoryview`.
  const PART = 0.4;
  // Shares of the score: words anywhere on the page, and words in one heading.
  const TEXT = 55, HEADING = 45;
  // A page must have this much of the query, and a heading this much to be linked to.
  const ENOUGH = 0.4, FITS = 0.3;

  // A word of the query: which files have it (to what degree), and how much it tells them apart.
  const look = (word, { terms, titleterms, docnames }) => {
    const files = new Map();
    const take = (index, key, degree) => {
      for (const file of Object.hasOwn(index, key) ? list(index[key]) : [])
        files.set(file, Math.max(degree, files.get(file) ?? 0));
    };
    for (const index of [terms, titleterms]) take(index, word, 1);
    if (!files.size && word.length > 2)
      for (const index of [terms, titleterms])
        for (const term of Object.keys(index)) if (term.includes(word)) take(index, term, PART);
    return { word, files, weight: files.size ? Math.log(1 + docnames.length / files.size) : 0 };
  };

  // How much of the query's weight is in a heading. Long headings fit a little less.
  const fit = (heading, words, total) => {
    const own = stems(heading);
    const found = words.filter(({ word }) => own.has(word));
    const share = found.reduce((sum, { weight }) => sum + weight, 0) / total;
    return share * (0.8 + (0.2 * found.length) / own.size);
  };

  Search.performTermsSearch = (searchTerms, excludedTerms) => {
    const words = [...searchTerms].map((word) => look(word, index));
    const total = words.reduce((sum, { weight }) => sum + weight, 0);
    if (!total) return [];
    const excluded = new Set([...excludedTerms].flatMap((w) => [...look(w, index).files.keys()]));

    const headings = index.docnames.map(() => []);
    for (const entries of [index.alltitles, index.indexentries])
      for (const [title, places] of Object.entries(entries))
        for (const [file, id] of places) headings[file].push({ title, id });

    const results = [];
    index.docnames.forEach((docname, file) => {
      const share =
        words.reduce((sum, { files, weight }) => sum + weight * (files.get(file) ?? 0), 0) / total;
      if (share < ENOUGH || excluded.has(file)) return;
      // The title of the page itself has no id; it wins over a section that fits no better.
      const [best] = headings[file]
        .map(({ title, id }) => ({ title, id, fits: fit(title, words, total) }))
        .sort((a, b) => b.fits - a.fits || (a.id ? 1 : 0) - (b.id ? 1 : 0));
      const fits = best ? best.fits : 0;
      const section = best && best.id && fits >= FITS;
      const title = index.titles[file];
      results.push([
        docname,
        section ? `${title} > ${best.title}` : title,
        section ? `#${best.id}` : "",
        null,
        TEXT * share + HEADING * fits,
        index.filenames[file],
        section ? SearchResultKind.title : SearchResultKind.text,
      ]);
    });
    return results;
  };

  // A place is listed once, with its best score: Sphinx finds some by their title or entry as well.
  const perform = Search._performSearch;
  Search._performSearch = (...parsed) => {
    const places = new Set();
    const isNew = ([docname, , anchor]) =>
      !places.has(docname + anchor) && places.add(docname + anchor);
    return perform(...parsed).reverse().filter(isNew).reverse();
  };

  // From a disk no script may read another page, and every attempt would be an error in the console.
  if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

  // What stands below a result: the beginning of the section or the page's description, which are
  // prose; the text of a page with listings would be mostly generated C.
  const LENGTH = 240;
  const prose = (page, anchor) => {
    const place = anchor && page.getElementById(anchor.slice(1));
    if (place) {
      const root = place.matches("dt") ? place.nextElementSibling : place.closest("section");
      const found = [...root.querySelectorAll("p")].find((p) => !p.closest(".cell, [class^=cy-]"));
      if (found) return found.textContent;
    }
    const description = page.querySelector('meta[name="description"]');
    if (description) return description.content;
    return page.querySelector('[role="main"] p')?.textContent ?? "";
  };

  Search.makeSearchSummary = (html, keywords, anchor) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const text = prose(page, anchor).replace(/\s+/g, " ").trim();
    if (!text) return null;
    const summary = document.createElement("p");
    summary.classList.add("context");
    const end = text.length > LENGTH ? text.lastIndexOf(" ", LENGTH) : text.length;
    summary.textContent = end < text.length ? `${text.slice(0, end)} …` : text;
    return summary;
  };
}
