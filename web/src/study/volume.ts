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
  const usual = series.slice_spacing_mm ?? Number.NaN;
  const first = positions[0] ?? Number.NaN;
  const last = positions.at(-1) ?? Number.NaN;
  const length = Math.abs(last - first);
  // Many heads have thin slices at the base and thick ones above: lines as close as the thin ones show both.
  const distances = positions.slice(1).map((at, index) => Math.abs(at - positions[index]!));
  const step = Math.max(Math.min(usual, ...distances), usual / 4);
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
    slices.push(away(nearest) <= usual * 0.75 ? nearest : null);
  }
  return { slices, step };
}

/** Shares of the rows and of the columns. */
export interface Share {
  row: number;
  column: number;
}

/**
 * How far a slice lies below and to the right of the middle one in its own plane, as a tilted gantry makes it: what
 * is at a place of the middle slice is at that place less this on the slice, so that the planes are straight.
 */
export function offset(series: Series, slice: number): Share {
  const { shift, slices } = series;
  const middle = slices[slices.length >> 1]?.z_mm ?? null;
  const z = slices[slice]?.z_mm ?? null;
  const spacing = slices[0]?.spacing_mm;
  if (!shift || middle === null || z === null || !spacing) return { row: 0, column: 0 };
  const { rows, columns } = slices[0]!;
  return {
    row: ((z - middle) * shift[0]!) / spacing[0]! / rows,
    column: ((z - middle) * shift[1]!) / spacing[1]! / columns,
  };
}

/** Gives the pixels of a slice, if they are here. */
export type Source = (slice: number) => Pixels | undefined;

/** HU of what is not there: air, black in every window. */
const NOTHING = -32768;

/** A coronal or sagittal image through a place, a share of the rows and columns of the middle slice. */
export function cutThrough(
  which: "coronal" | "sagittal",
  series: Series,
  plane: Lines,
  source: Source,
  at: Share,
): Pixels | null {
  const slices = plane.slices.map((slice) => (slice === null ? undefined : source(slice)));
  const any = slices.find((pixels) => pixels);
  if (!any) return null;
  const { rows, columns } = any;
  const width = which === "coronal" ? columns : rows;
  const hu = new Int16Array(width * slices.length).fill(NOTHING);
  slices.forEach((pixels, line) => {
    if (pixels?.rows !== rows || pixels.columns !== columns) return;
    const away = offset(series, plane.slices[line]!);
    const [down, right] = [Math.round(away.row * rows), Math.round(away.column * columns)];
    const row = Math.floor(at.row * rows) - down;
    const column = Math.floor(at.column * columns) - right;
    const to = line * width;
    if (which === "coronal" && row >= 0 && row < rows) {
      for (let x = Math.max(right, 0); x < columns + Math.min(right, 0); x++) {
        hu[to + x] = pixels.hu[row * columns + x - right]!;
      }
    } else if (which === "sagittal" && column >= 0 && column < columns) {
      for (let x = Math.max(down, 0); x < rows + Math.min(down, 0); x++) {
        hu[to + x] = pixels.hu[(x - down) * columns + column]!;
      }
    }
  });
  return { rows: slices.length, columns: width, hu };
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
