// Coronal and sagittal images of a series, made of its axial slices, true to their positions.

import type { Pixels } from "./canvas";
import type { Series } from "./types";
import { letters } from "./viewport";

/** Bytes of pixels beyond which the planes are made of reduced slices. */
const FULL = 96 * 1024 * 1024;
/** Most rows of a plane. */
const LINES = 2048;

/** Side to which slices are reduced for the planes; undefined where the slices themselves do. */
export function reducedSide(series: Series): number | undefined {
  const first = series.slices[0];
  if (!first) return undefined;
  const { length } = series.slices;
  if (first.rows * first.columns * 2 * length <= FULL) return undefined;
  const side = Math.floor(Math.sqrt(FULL / 2 / length) / 16) * 16;
  return Math.min(Math.max(side, 64), 256);
}

/** Which slice stands at each line of a plane, from the top; null where there is a gap. */
export interface Lines {
  slices: (number | null)[];
  /** Distance between lines, mm. */
  step: number;
}

const known = new WeakMap<Series, Lines | string>();

/** The lines of the planes of a series; a reason in words where there are none. */
export function lines(series: Series): Lines | string {
  const found = known.get(series) ?? linesOf(series);
  known.set(series, found);
  return found;
}

function linesOf(series: Series): Lines | string {
  if (series.no_volume) return series.no_volume;
  const [side, , front] = series.slices[0]?.edges ?? [];
  if (!/^[LR]$/.test(side ?? "") || !/^[AP]$/.test(front ?? "")) {
    return "its slices are not axial, or how they lie is unknown";
  }
  const positions = series.slices.map((slice) => slice.z_mm ?? Number.NaN);
  const step = series.slice_spacing_mm ?? Number.NaN;
  const first = positions[0] ?? Number.NaN;
  const last = positions.at(-1) ?? Number.NaN;
  const length = Math.abs(last - first);
  if (!(step > 0) || !(length > 0) || positions.some(Number.isNaN)) {
    return "the positions of its slices are unknown";
  }
  const count = Math.round(length / step) + 1;
  if (count > LINES) return "its slices lie too far apart";
  const direction = Math.sign(last - first);
  const slices: (number | null)[] = [];
  let nearest = positions.length - 1;
  for (let line = 0; line < count; line++) {
    const at = last - direction * line * step;
    const away = (index: number) => Math.abs((positions[index] ?? Infinity) - at);
    while (nearest > 0 && away(nearest - 1) <= away(nearest)) nearest--;
    slices.push(away(nearest) <= step * 0.75 ? nearest : null);
  }
  return { slices, step };
}

/** Gives the pixels of a slice, if they are here. */
export type Source = (slice: number) => Pixels | undefined;

/** HU of what is not there: air, black in every window. */
const NOTHING = -32768;

/** A coronal image at a share 0 to 1 of the rows, from the front to the back of an upright head. */
export function coronal(plane: Lines, source: Source, share: number): Pixels | null {
  return plate(plane, source, ({ rows, columns }) => {
    const row = Math.min(Math.max(Math.floor(share * rows), 0), rows - 1);
    return { count: columns, from: row * columns, step: 1 };
  });
}

/** A sagittal image at a share 0 to 1 of the columns. */
export function sagittal(plane: Lines, source: Source, share: number): Pixels | null {
  return plate(plane, source, ({ rows, columns }) => {
    const column = Math.min(Math.max(Math.floor(share * columns), 0), columns - 1);
    return { count: rows, from: column, step: columns };
  });
}

function plate(
  plane: Lines,
  source: Source,
  take: (pixels: Pixels) => { count: number; from: number; step: number },
): Pixels | null {
  const slices = plane.slices.map((slice) => (slice === null ? undefined : source(slice)));
  const any = slices.find((pixels) => pixels);
  if (!any) return null;
  const columns = take(any).count;
  const hu = new Int16Array(columns * slices.length).fill(NOTHING);
  slices.forEach((pixels, line) => {
    if (!pixels || pixels.rows !== any.rows || pixels.columns !== any.columns) return;
    const { from, step } = take(pixels);
    const to = line * columns;
    for (let column = 0; column < columns; column++) {
      hu[to + column] = pixels.hu[from + column * step]!;
    }
  });
  return { rows: slices.length, columns, hu };
}

/** The line of a plane at which a slice stands, or the nearest one. */
export function lineOf(plane: Lines, slice: number): number {
  let best = 0;
  let distance = Infinity;
  plane.slices.forEach((other, line) => {
    if (other !== null && Math.abs(other - slice) < distance) {
      [best, distance] = [line, Math.abs(other - slice)];
    }
  });
  return best;
}

/** The slice that stands at a line, or the nearest one. */
export function sliceAt(plane: Lines, line: number): number {
  for (let away = 0; away < plane.slices.length; away++) {
    const slice = plane.slices[line - away] ?? plane.slices[line + away];
    if (slice !== null && slice !== undefined) return slice;
  }
  return 0;
}

/** Letters at the left, right, top and bottom edge of a plane; null where they are unknown. */
export function planeLetters(
  which: "coronal" | "sagittal",
  edges: readonly string[] | null | undefined,
  mirrored: boolean,
): [string, string, string, string] | null {
  const seen = letters(edges, which === "coronal" && mirrored);
  if (!seen) return null;
  const [left, right, top, bottom] = seen;
  return which === "coronal" ? [left, right, "H", "F"] : [top, bottom, "H", "F"];
}
