// Where the slice lies on the stage: its size on the screen, zoom, place and mirroring.

export interface Point {
  x: number;
  y: number;
}

/** What is shown of the slice, as the reader set it. */
export interface Look {
  /** 1 fits the stage; "pixels" shows a pixel of the slice as one of the screen. */
  zoom: number | "pixels";
  /** Of the middle of the slice from the middle of the stage, CSS pixels. */
  pan: Point;
  /** Left and right are swapped. */
  mirrored: boolean;
}

export const FITTING: Look = { zoom: 1, pan: { x: 0, y: 0 }, mirrored: false };

/** Zoom is kept between these. */
const ZOOMS: [number, number] = [0.25, 16];

/** A slice on a stage. Points on the slice are columns and rows from its upper left corner, whole numbers between pixels. */
export class Viewport {
  constructor(
    readonly stage: { width: number; height: number },
    readonly image: { rows: number; columns: number },
    /** Distance between rows and between columns, mm. */
    readonly spacing: readonly [number, number] | null,
    readonly look: Look,
    private readonly screenPixels = 1,
  ) {}

  /** Height of a pixel over its width. */
  get aspect(): number {
    return this.spacing ? this.spacing[0] / this.spacing[1] : 1;
  }

  /** CSS pixels a column at which the whole slice is seen. */
  get fit(): number {
    const { rows, columns } = this.image;
    const { width, height } = this.stage;
    return Math.max(Math.min(width / columns, height / (rows * this.aspect)), 0.01);
  }

  /** CSS pixels a column. */
  get scale(): number {
    return this.look.zoom === "pixels" ? 1 / this.screenPixels : this.fit * this.look.zoom;
  }

  /** CSS pixels a millimetre; null where the spacing is unknown. */
  get perMillimetre(): number | null {
    return this.spacing ? this.scale / this.spacing[1] : null;
  }

  /** Width and height of the whole slice, CSS pixels. */
  get size(): { width: number; height: number } {
    const { rows, columns } = this.image;
    return { width: columns * this.scale, height: rows * this.aspect * this.scale };
  }

  /** Upper left corner of the slice on the stage. */
  get corner(): Point {
    const { width, height } = this.size;
    const { pan } = this.look;
    const [left, top] = [(this.stage.width - width) / 2, (this.stage.height - height) / 2];
    // Whole screen pixels: at 1:1 nothing is smeared over two of them.
    const whole = (at: number) => Math.round(at * this.screenPixels) / this.screenPixels;
    return { x: whole(left + pan.x), y: whole(top + pan.y) };
  }

  stageFromSlice(point: Point): Point {
    const { corner, scale, aspect, image, look } = this;
    const column = look.mirrored ? image.columns - point.x : point.x;
    return { x: corner.x + column * scale, y: corner.y + point.y * aspect * scale };
  }

  sliceFromStage(point: Point): Point {
    const { corner, scale, aspect, image, look } = this;
    const column = (point.x - corner.x) / scale;
    return {
      x: look.mirrored ? image.columns - column : column,
      y: (point.y - corner.y) / (scale * aspect),
    };
  }

  /** The look with another zoom, in which the slice stays put below a point of the stage. */
  zoomed(factor: number, at: Point): Look {
    const now = this.scale / this.fit;
    const zoom = Math.min(Math.max(now * factor, ZOOMS[0]), ZOOMS[1]);
    const grown = zoom / now;
    const from = { x: at.x - this.stage.width / 2, y: at.y - this.stage.height / 2 };
    const { pan } = this.look;
    const moved = {
      x: from.x - (from.x - pan.x) * grown,
      y: from.y - (from.y - pan.y) * grown,
    };
    return { ...this.look, zoom, pan: moved };
  }

  /** The look with the slice moved, some of which always stays on the stage. */
  panned(right: number, down: number): Look {
    const { size, stage, look } = this;
    const within = (at: number, shown: number, room: number) => {
      const far = (shown + room) / 2 - 32;
      return Math.min(Math.max(at, -far), far);
    };
    const x = within(look.pan.x + right, size.width, stage.width);
    const y = within(look.pan.y + down, size.height, stage.height);
    return { ...look, pan: { x, y } };
  }

  /** Length between two points of the slice, mm; null where the spacing is unknown. */
  length(from: Point, to: Point): number | null {
    if (!this.spacing) return null;
    return Math.hypot((to.x - from.x) * this.spacing[1], (to.y - from.y) * this.spacing[0]);
  }

  /** A round length for the scale bar, mm, and its length on the screen; null where the spacing is unknown. */
  bar(): { mm: number; pixels: number } | null {
    const per = this.perMillimetre;
    if (!per) return null;
    const room = Math.min(this.stage.width / 4, 160);
    const mm = [100, 50, 20, 10, 5, 2, 1].find((length) => length * per <= room) ?? 1;
    return { mm, pixels: mm * per };
  }
}

/** The letters at the left, right, top and bottom edge as they are seen. */
export function letters(
  edges: readonly string[] | null | undefined,
  mirrored: boolean,
): [string, string, string, string] | null {
  const [left, right, top, bottom] = edges ?? [];
  if (!left || !right || !top || !bottom) return null;
  return mirrored ? [right, left, top, bottom] : [left, right, top, bottom];
}
