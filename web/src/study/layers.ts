// The layers of the stage: where the slice lies, and the map over it.

import type { Pixels } from "./canvas";
import { decoded, outline, paint } from "./overlay";
import type { SliceMap } from "./types";
import type { Viewport } from "./viewport";

/** The parts of the stage that are drawn to. */
export interface Stage {
  stage: HTMLElement;
  frame: HTMLElement;
  canvas: HTMLCanvasElement;
  heat: HTMLCanvasElement;
  outline: SVGSVGElement;
  marks: SVGSVGElement;
}

/** CSS pixels a column beyond which the pixels of the slice are shown as squares. */
const SQUARES = 4;

/** Puts the slice where the viewport has it. */
export function layFrame({ frame, canvas }: Stage, viewport: Viewport): void {
  const { corner, size, scale, look } = viewport;
  frame.style.width = `${size.width}px`;
  frame.style.height = `${size.height}px`;
  const mirror = look.mirrored ? ` translateX(${size.width}px) scaleX(-1)` : "";
  frame.style.transform = `translate(${corner.x}px, ${corner.y}px)${mirror}`;
  canvas.style.imageRendering = scale > SQUARES ? "pixelated" : "auto";
}

/** The map over a slice: drawn anew only where it is another one. */
export class MapLayer {
  private drawn: SliceMap | undefined;
  private mode = "";

  draw(stage: Stage, map: SliceMap | undefined, mode: string, { rows, columns }: Pixels): void {
    if (map === this.drawn && mode === this.mode) return;
    this.drawn = map;
    this.mode = mode;
    const values = map && decoded(map);
    stage.heat.hidden = !(values && mode === "overlay");
    stage.outline.classList.toggle("gone", !(values && mode === "outline"));
    if (!values) return;
    if (mode === "overlay") return paint(stage.heat, values, rows, columns);
    stage.outline.setAttribute("viewBox", `0 0 ${columns} ${rows}`);
    const path = outline(values, rows, columns);
    for (const one of stage.outline.querySelectorAll("path")) one.setAttribute("d", path);
  }
}
