// Where the networks see what they see: a map as an outline at one half, or as colours over the slice.

import type { Label, SliceMap } from "./types";

/** A map with its values 0 to 255, row by row. */
export interface Values {
  rows: number;
  columns: number;
  values: Uint8Array;
  /** The highest of them. */
  peak: number;
}

/** Rows and columns of a map beyond which it is not drawn. */
const LARGEST = 1024;

const known = new WeakMap<SliceMap, Values | null>();

/** The values of a map; nothing where its length is not what it says. */
export function decoded(map: SliceMap): Values | null {
  let found = known.get(map);
  if (found === undefined) {
    found = valuesOf(map);
    known.set(map, found);
  }
  return found;
}

function valuesOf(map: SliceMap): Values | null {
  const { rows, columns } = map;
  if (!(rows >= 1 && rows <= LARGEST && columns >= 1 && columns <= LARGEST)) return null;
  let text: string;
  try {
    text = atob(map.values);
  } catch {
    return null;
  }
  if (text.length !== rows * columns) return null;
  const values = new Uint8Array(text.length);
  for (let index = 0; index < text.length; index++) values[index] = text.charCodeAt(index);
  return { rows, columns, values, peak: values.reduce((most, value) => Math.max(most, value), 0) };
}

/** The map of a label, or, of "any" where there is none, of the label that is seen most clearly. */
export function chosen(maps: SliceMap[] | undefined, label: Label): SliceMap | undefined {
  if (!maps) return undefined;
  const own = maps.find((map) => map.label === label);
  if (own || label !== "any") return own;
  let best: SliceMap | undefined;
  let highest = -1;
  for (const map of maps) {
    const peak = decoded(map)?.peak ?? -1;
    if (peak > highest) [best, highest] = [map, peak];
  }
  return best;
}

/** What a map is, in words. */
export function meaning(map: SliceMap, label: string): string {
  return map.kind === "activation"
    ? `Map of ${label}: what spoke for it, which need not be where it is`
    : `Map of ${label}: where the network sees it`;
}

/**
 * Outline at one half, as a path in units of the slice's pixels. Marching squares over the centres of the map's
 * cells; outside the map is 0, so every outline is closed.
 */
export function outline(map: Values, rows: number, columns: number): string {
  const value = (row: number, column: number) =>
    row < 0 || column < 0 || row >= map.rows || column >= map.columns
      ? 0
      : map.values[row * map.columns + column]!;
  const half = 127.5;
  const down = rows / map.rows;
  const right = columns / map.columns;
  const lines: string[] = [];
  for (let row = -1; row < map.rows; row++) {
    for (let column = -1; column < map.columns; column++) {
      const a = value(row, column);
      const b = value(row, column + 1);
      const c = value(row + 1, column + 1);
      const d = value(row + 1, column);
      const which =
        (a > half ? 8 : 0) | (b > half ? 4 : 0) | (c > half ? 2 : 0) | (d > half ? 1 : 0);
      if (which === 0 || which === 15) continue;
      const along = (from: number, to: number) => (half - from) / (to - from);
      const at = (x: number, y: number) => {
        const across = Math.min(Math.max((column + 0.5 + x) * right, 0), columns);
        const low = Math.min(Math.max((row + 0.5 + y) * down, 0), rows);
        return `${across.toFixed(2)} ${low.toFixed(2)}`;
      };
      const top = () => at(along(a, b), 0);
      const bottom = () => at(along(d, c), 1);
      const left = () => at(0, along(a, d));
      const side = () => at(1, along(b, c));
      const line = (from: string, to: string) => lines.push(`M${from}L${to}`);
      if (which === 1 || which === 14) line(left(), bottom());
      else if (which === 2 || which === 13) line(bottom(), side());
      else if (which === 3 || which === 12) line(left(), side());
      else if (which === 4 || which === 11) line(top(), side());
      else if (which === 6 || which === 9) line(top(), bottom());
      else if (which === 7 || which === 8) line(left(), top());
      else {
        // A saddle: the middle says whether the two corners belong together.
        const together = (a + b + c + d) / 4 > half;
        if ((which === 5) === together) {
          line(left(), top());
          line(bottom(), side());
        } else {
          line(left(), bottom());
          line(top(), side());
        }
      }
    }
  }
  return lines.join("");
}

/** Corners of the colour scale, in the manner of matplotlib's "inferno": dark violet, red, orange, pale yellow. */
const SCALE: readonly [number, number, number][] = [
  [0, 0, 4],
  [66, 10, 104],
  [147, 38, 103],
  [221, 81, 58],
  [252, 165, 10],
  [252, 255, 164],
];

/** Colour of a share 0 to 1, with an opacity that grows with it and never hides the image. */
export function colour(share: number): [number, number, number, number] {
  const place = Math.min(Math.max(share, 0), 1) * (SCALE.length - 1);
  const below = Math.min(Math.floor(place), SCALE.length - 2);
  const part = place - below;
  const [from, to] = [SCALE[below]!, SCALE[below + 1]!];
  const mix = (index: 0 | 1 | 2) => Math.round(from[index] + (to[index] - from[index]) * part);
  return [mix(0), mix(1), mix(2), Math.round(Math.min(share * 1.6, 1) * 150)];
}

const COLOURS = Array.from({ length: 256 }, (_, value) => colour(value / 255));

/** Paints a map over a slice of so many rows and columns, bilinear between the centres of the map's cells. */
export function paint(canvas: HTMLCanvasElement, map: Values, rows: number, columns: number): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  canvas.width = columns;
  canvas.height = rows;
  const image = context.createImageData(columns, rows);
  const place = (index: number, of: number, size: number) => {
    const at = Math.min(Math.max(((index + 0.5) * size) / of - 0.5, 0), size - 1);
    const low = Math.floor(at);
    return { low, high: Math.min(low + 1, size - 1), part: at - low };
  };
  const across = Array.from({ length: columns }, (_, column) =>
    place(column, columns, map.columns),
  );
  for (let row = 0, to = 0; row < rows; row++) {
    const { low, high, part } = place(row, rows, map.rows);
    const [upper, lower] = [low * map.columns, high * map.columns];
    for (const x of across) {
      const top = map.values[upper + x.low]! * (1 - x.part) + map.values[upper + x.high]! * x.part;
      const end = map.values[lower + x.low]! * (1 - x.part) + map.values[lower + x.high]! * x.part;
      image.data.set(COLOURS[Math.round(top * (1 - part) + end * part)]!, to);
      to += 4;
    }
  }
  context.putImageData(image, 0, 0);
}
