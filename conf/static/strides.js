// The arithmetic of strided memory: which byte an index reaches, what slicing does to the numbers,
// which declaration takes a layout. It knows nothing of the page, so that it can be tested by
// itself against NumPy and against compiled code.
//
// A view is { shape, strides, offset, index, indirect, suboffset }. Steps and offsets are in bytes.
// Where `indirect` is true, `offset` and the first stride go through a table of pointers, and
// `suboffset` is added behind the pointer. The memory is { size, itemsize, pointers }: the bytes of
// the buffer, those of an element, and the bytes of the buffer that the table points to.
"use strict";

const Strides = (() => {
  const POINTER = 8; // bytes of a pointer in the table
  // How long a dimension may be on the page, by the number of dimensions.
  const LONGEST = [0, 24, 12, 6];
  const FARTHEST = 4096;

  const copy = (view, changes) => ({ ...view, ...changes });
  const replaced = (list, place, item) => list.map((old, at) => (at === place ? item : old));
  const without = (list, place) => list.filter((_, at) => at !== place);
  const clamp = (number, low, high) => Math.max(low, Math.min(high, number));

  // A view with an index that is inside its shape (or all zeros, if nothing is).
  const settled = (view) =>
    copy(view, {
      index: view.shape.map((length, dim) => clamp(view.index[dim] ?? 0, 0, Math.max(0, length - 1))),
    });

  const indices = (shape) =>
    shape.reduce(
      (found, length) =>
        found.flatMap((start) => Array.from({ length }, (_, i) => [...start, i])),
      [[]],
    );

  const sum = (strides, index) => strides.reduce((total, step, dim) => total + step * index[dim], 0);

  // Where an access goes. `entry` is the byte of the table at which the pointer lies, and `pointer`
  // where that leads to; both are null for a direct view. `byte` is null where the table is left, or
  // read between two pointers: where such a pointer leads is undefined.
  const locate = (view, index, memory) => {
    let entry = null, pointer = null, byte, entryOutside = "";
    if (view.indirect) {
      entry = view.offset + index[0] * view.strides[0];
      const size = memory.pointers.length * POINTER;
      entryOutside = outside(entry, POINTER, size) || (entry % POINTER ? "between" : "");
      pointer = entryOutside ? null : memory.pointers[entry / POINTER];
      byte = entryOutside
        ? null
        : pointer + view.suboffset + sum(view.strides.slice(1), index.slice(1));
    } else byte = view.offset + sum(view.strides, index);
    const out = byte === null ? "unknown" : outside(byte, memory.itemsize, memory.size);
    return { entry, entryOutside, pointer, byte, outside: out };
  };

  const outside = (byte, length, size) =>
    byte < 0 ? "before" : byte + length > size ? "behind" : "";

  // Slices one dimension as Python does; null stands for what is left out.
  const slice = (view, dim, start, stop, step = 1) => {
    const length = view.shape[dim];
    const low = step < 0 ? -1 : 0, high = step < 0 ? length - 1 : length;
    const place = (given) => clamp(given < 0 ? given + length : given, low, high);
    const first = start === null ? (step < 0 ? high : low) : place(start);
    const end = stop === null ? (step < 0 ? low : high) : place(stop);
    const count = Math.max(0, Math.ceil((end - first) / step));
    // Without elements there is no first one to begin at.
    const moved = count ? first * view.strides[dim] : 0;
    return settled(
      copy(view, {
        shape: replaced(view.shape, dim, count),
        strides: replaced(view.strides, dim, view.strides[dim] * step),
        ...shifted(view, dim, moved),
      }),
    );
  };

  // A step behind a pointer cannot move the place where the pointer lies.
  const shifted = (view, dim, bytes) =>
    view.indirect && dim > 0
      ? { suboffset: view.suboffset + bytes }
      : { offset: view.offset + bytes };

  // Takes one element of a dimension, which is gone then: a[i] or a[:, j].
  const take = (view, dim, i, memory) => {
    const rest = {
      shape: without(view.shape, dim),
      strides: without(view.strides, dim),
      index: without(view.index, dim),
    };
    if (!view.indirect) return copy(view, { ...rest, offset: view.offset + i * view.strides[dim] });
    if (dim > 0) return null;
    const { pointer } = locate(view, [i, 0], memory);
    // The pointer has been followed, so what is left is an ordinary view.
    return pointer === null
      ? null
      : copy(view, { ...rest, indirect: false, offset: pointer + view.suboffset, suboffset: 0 });
  };

  const transpose = (view) =>
    copy(view, {
      shape: view.shape.toReversed(),
      strides: view.strides.toReversed(),
      index: view.index.toReversed(),
    });

  // As numpy.broadcast_to: null if the shapes do not go together.
  const broadcast = (view, shape) => {
    const extra = shape.length - view.shape.length;
    if (extra < 0) return null;
    const strides = shape.map((length, dim) =>
      dim < extra || view.shape[dim - extra] === 1 ? 0 : view.strides[dim - extra]);
    const fits = view.shape.every((length, dim) => length === 1 || length === shape[dim + extra]);
    const index = [...Array(extra).fill(0), ...view.index];
    return fits ? settled(copy(view, { shape, strides, index })) : null;
  };

  // NumPy's rule: steps along dimensions of length one are never taken, and an array without
  // elements is in every order. Returns the first dimension that does not fit, or null.
  const misfit = (view, itemsize, order) => {
    if (view.shape.includes(0)) return null;
    const dims = view.shape.map((_, dim) => dim);
    let needed = itemsize;
    for (const dim of order === "F" ? dims : dims.reverse()) {
      if (view.shape[dim] !== 1 && view.strides[dim] !== needed) return { dim, needed };
      needed *= view.shape[dim];
    }
    return null;
  };

  const contiguous = (view, itemsize, order) => misfit(view, itemsize, order) === null;

  // Which declarations take an array of this layout, and why the others do not.
  const verdicts = (view, itemsize) => {
    if (view.indirect) {
      const [, step] = view.strides, [rows, columns] = view.shape;
      // Cython's own rules: without elements nothing is looked at, a step along a dimension of
      // length one is not, and neither is the one between pointers.
      const any = rows > 0 && columns > 0;
      const sign = any && view.suboffset < 0
        ? "a negative suboffset says that there is no pointer" : "";
      const last = any && columns > 1 && step !== itemsize
        ? `strides[1] is ${step}, it asks for ${itemsize}` : "";
      return [
        // Of such a slice Cython's object says that it is direct.
        ["double[:, :]", any && !sign ? "it follows no pointers" : ""],
        ["double[::view.indirect, :]", sign],
        ["double[::view.indirect, ::1]", sign || last],
      ];
    }
    const ndim = view.shape.length;
    const plain = Array(ndim).fill(":");
    const orders = [["C", ndim - 1], ["F", 0]].slice(0, ndim === 1 ? 1 : 2);
    return [
      [`double[${plain.join(", ")}]`, ""],
      ...orders.map(([order, last]) => {
        const wrong = misfit(view, itemsize, order);
        const why = wrong
          && `strides[${wrong.dim}] is ${view.strides[wrong.dim]}, it asks for ${wrong.needed}`;
        return [`double[${replaced(plain, last, "::1").join(", ")}]`, why ?? ""];
      }),
    ];
  };

  // What the buttons do: [the expression, the view it gives or null where it cannot be].
  const operations = (view, memory) => {
    const ndim = view.shape.length;
    const cut = [["1:", 1, null], ["1:-1", 1, -1]];
    const block = view.shape.map((_, dim) => cut[dim === ndim - 1 ? 1 : 0]);
    const full = view.shape.every((length) => length > 0);
    const place = view.index.slice(-2);
    const long = (shape) => shape.every((length) => length <= LONGEST[shape.length]);
    const repeated = [3, ...view.shape];
    const all = [
      ["a[::2]", slice(view, 0, null, null, 2)],
      ["a[::-1]", slice(view, 0, null, null, -1)],
    ];
    if (ndim > 1) {
      all.push(
        ["a[:, ::2]", slice(view, 1, null, null, 2)],
        ["a[:, ::-1]", slice(view, 1, null, null, -1)],
        ["a.T", view.indirect ? null : transpose(view)],
        [`a[${view.index[0]}]`, full ? take(view, 0, view.index[0], memory) : null],
        [`a[:, ${view.index[1]}]`, full ? take(view, 1, view.index[1], memory) : null],
      );
    }
    all.push([
      `a[${block.map(([text]) => text).join(", ")}]`,
      block.reduce((part, [, start, stop], dim) => slice(part, dim, start, stop), view),
    ]);
    if (ndim < 3)
      all.push([
        `broadcast_to(a, (${repeated.join(", ")}))`,
        view.indirect || !long(repeated) ? null : broadcast(view, repeated),
      ]);
    return all;
  };

  // The part of an address behind its #, and back. Null for what is no view.
  const format = (view) =>
    `shape=${view.shape}&strides=${view.strides}&offset=${view.offset}&index=${view.index}`
    + (view.indirect ? `&suboffset=${view.suboffset}&indirect=1` : "");

  const parse = (text) => {
    const given = new URLSearchParams(text.replace(/^#/, ""));
    const numbers = (name) => {
      const words = (given.get(name) ?? "").split(",");
      return words.every((word) => /^-?\d{1,6}$/.test(word)) ? words.map(Number) : [];
    };
    const far = (number) => clamp(number, -FARTHEST, FARTHEST);
    const shape = numbers("shape"), strides = numbers("strides").map(far);
    const indirect = given.get("indirect") === "1";
    const longest = LONGEST[shape.length];
    if (!longest || strides.length !== shape.length || (indirect && shape.length !== 2)) return null;
    return settled({
      shape: shape.map((length) => clamp(length, 0, longest)),
      strides,
      offset: far(numbers("offset")[0] ?? 0),
      index: numbers("index"),
      indirect,
      suboffset: indirect ? far(numbers("suboffset")[0] ?? 0) : 0,
    });
  };

  return {
    POINTER, LONGEST, FARTHEST, settled, indices, locate, slice, take, transpose, broadcast,
    contiguous, verdicts, operations, format, parse,
  };
})();
