// HU to grey: the windows, and the look-up table that paints a slice.

/** A window: the part of the HU scale that is spread over black to white. */
export interface Window {
  level: number;
  width: number;
}

/** The pixels of a slice, HU row by row. */
export interface Pixels {
  rows: number;
  columns: number;
  hu: Int16Array;
}

/** The windows of the keys 1 to 5; the numbers of `hemora_ct::Window`. */
export const WINDOWS: readonly (Window & { name: string; title: string })[] = [
  { name: "brain", title: "Brain", level: 40, width: 80 },
  { name: "subdural", title: "Subdural", level: 80, width: 200 },
  { name: "stroke", title: "Stroke", level: 40, width: 40 },
  { name: "bone", title: "Bone", level: 600, width: 2800 },
  { name: "soft", title: "Soft tissue", level: 40, width: 375 },
];

const LOWEST = -32768;
const VALUES = 65536;
const OPAQUE = 0xff000000;

/**
 * Grey of a value, 0 to 255, bit for bit as `hemora_ct::Window::to_grey` computes it in single precision:
 * rounded to nearest, halves up.
 */
export function grey(hu: number, window: Window): number {
  const low = Math.fround(window.level - Math.fround(window.width / 2));
  const unit = Math.fround(Math.fround(hu - low) / Math.fround(window.width));
  const clamped = Math.min(Math.max(unit, 0), 1);
  return Math.floor(Math.fround(clamped * 255) + 0.5);
}

/** A pixel of a canvas. Every machine that runs a browser of today has the lowest byte first. */
function opaque(value: number): number {
  return (OPAQUE | (value << 16) | (value << 8) | value) >>> 0;
}

/** The look-up table of a window: a pixel of a canvas for each of the 65,536 values, from −32,768 HU on. */
export function lookup(window: Window, table = new Uint32Array(VALUES)): Uint32Array {
  const first = Math.max(Math.floor(window.level - window.width / 2) - 1 - LOWEST, 0);
  const last = Math.min(Math.ceil(window.level + window.width / 2) + 1 - LOWEST, VALUES - 1);
  table.fill(opaque(0), 0, first);
  for (let index = first; index <= last; index++) {
    table[index] = opaque(grey(index + LOWEST, window));
  }
  table.fill(opaque(255), last + 1);
  return table;
}

/** A canvas that shows slices, each of its pixels one of the slice's. */
export class SliceCanvas {
  private readonly context: CanvasRenderingContext2D;
  private image: ImageData | null = null;
  private words: Uint32Array = new Uint32Array();
  private readonly table = new Uint32Array(VALUES);
  private window: Window | null = null;

  constructor(readonly element: HTMLCanvasElement) {
    const context = element.getContext("2d", { alpha: false });
    if (!context) throw new Error("This browser draws nothing on a canvas; another one is needed.");
    this.context = context;
  }

  /** Paints a slice in a window. */
  draw(pixels: Pixels, window: Window): void {
    const { rows, columns, hu } = pixels;
    if (this.image?.width !== columns || this.image.height !== rows) {
      this.element.width = columns;
      this.element.height = rows;
      this.image = this.context.createImageData(columns, rows);
      this.words = new Uint32Array(this.image.data.buffer);
    }
    if (this.window?.level !== window.level || this.window.width !== window.width) {
      lookup(window, this.table);
      this.window = { level: window.level, width: window.width };
    }
    const { words, table } = this;
    const count = Math.min(hu.length, words.length);
    for (let index = 0; index < count; index++) {
      words[index] = table[hu[index]! - LOWEST]!;
    }
    this.context.putImageData(this.image, 0, 0);
  }
}

/** The window after a drag by so many pixels: to the right wider, downwards a higher level (darker). */
export function dragged(from: Window, right: number, down: number): Window {
  const step = Math.max(from.width / 300, 0.25);
  return {
    level: Math.round(Math.min(Math.max(from.level + down * step, -2000), 4000)),
    width: Math.round(Math.min(Math.max(from.width + right * step, 1), 6000)),
  };
}
