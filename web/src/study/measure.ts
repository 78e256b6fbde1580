// Lengths on a slice: from one point to another, in mm.

import type { Point, Viewport } from "./viewport";
import type { Share } from "./volume";

const SVG = "http://www.w3.org/2000/svg";

interface Length {
  from: Point;
  to: Point;
}

/** Why no length is measured on a slice without a spacing. */
export const REFUSED =
  "No length can be measured: the distance between the pixels of this slice is unknown.";

export class Lengths {
  /** By series and slice. */
  private readonly known = new Map<string, Length[]>();
  /** Where a length begins whose end is not yet set. */
  private begun: { slice: string; from: Point } | null = null;
  /** Where the keyboard points; null until a key moves it. */
  cursor: Point | null = null;

  /** Sets a point: the first begins a length, the second ends it. Returns whether it ended one. */
  set(slice: string, point: Point): boolean {
    if (this.begun?.slice !== slice) {
      this.begun = { slice, from: point };
      return false;
    }
    const list = this.known.get(slice) ?? [];
    this.known.set(slice, [...list, { from: this.begun.from, to: point }]);
    this.begun = null;
    return true;
  }

  isBegun(slice: string): boolean {
    return this.begun?.slice === slice;
  }

  /** Takes back the point that was set, or the last length. */
  undo(slice: string): void {
    if (this.begun) this.begun = null;
    else this.known.set(slice, (this.known.get(slice) ?? []).slice(0, -1));
  }

  /** Takes back what was begun. */
  leave(): void {
    this.begun = null;
    this.cursor = null;
  }

  clear(): void {
    this.known.clear();
    this.leave();
  }

  /** The last length of a slice, mm. */
  last(slice: string, viewport: Viewport): number | null {
    const last = this.known.get(slice)?.at(-1);
    return last ? viewport.length(last.from, last.to) : null;
  }

  /** Moves the keyboard's point by so many pixels of the slice. */
  move(viewport: Viewport, right: number, down: number): void {
    const { rows, columns } = viewport.image;
    const from = this.cursor ?? { x: Math.floor(columns / 2), y: Math.floor(rows / 2) };
    const across = viewport.look.mirrored ? -right : right;
    this.cursor = {
      x: Math.min(Math.max(from.x + across, 0), columns),
      y: Math.min(Math.max(from.y + down, 0), rows),
    };
  }

  /** Draws the lengths of a slice; `pointer` is where a length that was begun leads, on the slice. */
  draw(slice: string, viewport: Viewport, pointer: Point | null): SVGElement[] {
    const drawn: SVGElement[] = [];
    for (const { from, to } of this.known.get(slice) ?? []) line(drawn, viewport, from, to);
    const end = this.cursor ?? pointer;
    if (this.begun?.slice === slice) {
      if (end) line(drawn, viewport, this.begun.from, end);
      cross(drawn, viewport, this.begun.from);
    }
    if (this.cursor) cross(drawn, viewport, this.cursor);
    return drawn;
  }
}

/** The lines along which the coronal and sagittal images cut the slice. */
export function cutLines(viewport: Viewport, cut: Share): SVGElement[] {
  const { rows, columns } = viewport.image;
  const { x, y } = viewport.stageFromSlice({ x: cut.column * columns, y: cut.row * rows });
  const { width, height } = viewport.stage;
  return [element("path", { d: `M0 ${y}H${width}M${x} 0V${height}`, class: "cut" })];
}

/** A length in words. */
export function inWords(mm: number): string {
  return `${mm.toFixed(1)} mm`;
}

function element(name: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  return made;
}

function line(to: SVGElement[], viewport: Viewport, from: Point, end: Point): void {
  const [a, b] = [viewport.stageFromSlice(from), viewport.stageFromSlice(end)];
  const ends = { x1: a.x, y1: a.y, x2: b.x, y2: b.y };
  to.push(element("line", { ...ends, class: "halo" }), element("line", { ...ends, class: "length" }));
  const mm = viewport.length(from, end);
  if (mm === null) return;
  const right = b.x > viewport.stage.width - 90;
  const at = { x: b.x + (right ? -8 : 8), y: b.y - 8, "text-anchor": right ? "end" : "start" };
  for (const part of ["halo", "length"]) {
    const text = element("text", { ...at, class: part });
    text.textContent = inWords(mm);
    to.push(text);
  }
}

function cross(to: SVGElement[], viewport: Viewport, point: Point): void {
  const { x, y } = viewport.stageFromSlice(point);
  const d = `M${x - 9} ${y}H${x + 9}M${x} ${y - 9}V${y + 9}`;
  to.push(element("path", { d, class: "halo" }), element("path", { d, class: "length" }));
}
