// What is written over the slice: letters of the sides, slice, window, value below the pointer, scale bar.

import { label, percent } from "../words";
import { WINDOWS } from "./canvas";
import { inWords } from "./measure";
import { meaning } from "./overlay";
import type { Slice } from "./types";
import type { Viewer } from "./viewer";
import { letters } from "./viewport";

/** Names of the sides. */
const SIDES: Record<string, string> = {
  L: "left",
  R: "right",
  A: "front",
  P: "back",
  H: "head",
  F: "feet",
};

/** A region is outlined, and named, where its map reaches this. */
const SEEN = 0.5;

const PARTS = ["left", "right", "top", "bottom", "slice", "share", "window", "pointer", "scale", "map"] as const;
const BADGES = ["mirrored", "unknown", "loading", "measuring"] as const;
type Part = (typeof PARTS)[number] | (typeof BADGES)[number];

export class Hud {
  private readonly parts: Record<Part, HTMLElement>;
  private readonly canvas: HTMLElement | null;

  /** Finds the parts by their `data-hud` below the stage. */
  constructor(stage: HTMLElement) {
    const find = (part: Part) => {
      const found = stage.querySelector<HTMLElement>(`[data-hud=${part}]`);
      if (!found) throw new Error(`the stage has no part ${part}`);
      return [part, found];
    };
    this.parts = Object.fromEntries([...PARTS, ...BADGES].map(find)) as Record<Part, HTMLElement>;
    this.canvas = stage.querySelector("canvas");
  }

  draw(viewer: Viewer): void {
    const { drawn, view, slice, state } = viewer;
    const waits = view && (drawn?.slice !== state.slice || drawn.series !== state.series);
    const wanted = `Slice ${state.slice + 1}`;
    this.say("loading", viewer.problem && waits ? `${wanted}: ${viewer.problem}` : waits ? `${wanted} is loading…` : "");
    if (!drawn || !slice) {
      for (const part of PARTS) this.say(part, "");
      this.say("unknown", "");
      return;
    }
    const count = view?.series[drawn.series]?.slices.length ?? 0;
    const z = slice.z_mm ?? null;
    const place = z === null ? "position unknown" : `z ${z.toFixed(1)} mm`;
    this.say("slice", `${drawn.slice + 1} of ${count} · ${place}`);
    const share = slice.probabilities[state.label];
    this.say("share", `${label(state.label)} here ${percent(share)}`);
    const seen = letters(slice.edges, state.look.mirrored);
    const sides = ["left", "right", "top", "bottom"] as const;
    sides.forEach((side, index) => this.say(side, seen?.[index] ?? ""));
    this.say("unknown", seen ? "" : "Orientation unknown");
    this.say("mirrored", state.look.mirrored ? "MIRRORED" : "");
    const preset = WINDOWS.find(({ name }) => name === viewer.preset());
    const { width, level } = state.window;
    this.say("window", `W ${width} L ${level}${preset ? ` ${preset.title.toLowerCase()}` : ""}`);
    this.say("pointer", valueBelow(viewer));
    this.drawBar(viewer);
    const map = state.map === "off" ? undefined : viewer.map;
    this.say("map", map ? meaning(map, label(map.label)) : "");
    this.say("measuring", state.measuring ? measuring(viewer) : "");
    this.canvas?.setAttribute("aria-label", inText(viewer, slice, count));
  }

  private say(part: Part, words: string): void {
    const element = this.parts[part];
    if (element.textContent !== words) element.textContent = words;
    const empty = words === "";
    if (element.hidden !== empty) element.hidden = empty;
  }

  private drawBar(viewer: Viewer): void {
    const bar = viewer.viewport?.bar();
    this.say("scale", bar ? `${bar.mm} mm` : viewer.viewport ? "scale unknown" : "");
    this.parts.scale.style.width = bar ? `${bar.pixels}px` : "auto";
    this.parts.scale.classList.toggle("bar", Boolean(bar));
  }
}

/** HU below the pointer, or below the keyboard's point. */
function valueBelow(viewer: Viewer): string {
  const at = viewer.lengths.cursor ?? viewer.pointed;
  const pixels = viewer.drawn?.pixels;
  if (!at || !pixels) return "";
  const [column, row] = [Math.floor(at.x), Math.floor(at.y)];
  if (column < 0 || row < 0 || column >= pixels.columns || row >= pixels.rows) return "";
  return `${pixels.hu[row * pixels.columns + column]} HU at column ${column + 1}, row ${row + 1}`;
}

function measuring(viewer: Viewer): string {
  const { lengths, viewport, place } = viewer;
  const last = viewport && lengths.last(place, viewport);
  const next = lengths.isBegun(place) ? "set its end" : "set its beginning";
  const how = `Length: ${next} (click, or arrows and Enter); Esc ends`;
  return last ? `${inWords(last)}. ${how}` : how;
}

/** The image for those who do not see it. */
function inText(viewer: Viewer, slice: Slice, count: number): string {
  const { state, drawn } = viewer;
  const seen = letters(slice.edges, state.look.mirrored);
  const named = (letter: string) => SIDES[letter] ?? letter;
  const parts = [`Slice ${(drawn?.slice ?? 0) + 1} of ${count}`];
  const preset = WINDOWS.find(({ name }) => name === viewer.preset());
  parts.push(preset ? `${preset.title.toLowerCase()} window` : `window ${state.window.width} at ${state.window.level} HU`);
  if (seen) {
    const [left, right, top, bottom] = seen.map(named);
    parts.push(`the patient's ${left} at the left edge, ${right} at the right, ${top} at the top, ${bottom} at the bottom`);
  } else parts.push("orientation unknown");
  if (state.look.mirrored) parts.push("mirrored");
  parts.push(`${label(state.label)} ${percent(slice.probabilities[state.label])} on this slice`);
  const map = state.map === "off" ? undefined : viewer.map;
  if (map) parts.push(`${state.map} of ${label(map.label)}`);
  const regions = (slice.regions ?? []).filter((region) => region.peak >= SEEN);
  for (const region of regions) {
    if (region.label === "any" && regions.length > 1) continue;
    const edge = (slice.edges ?? [])[region.peak_column < slice.columns / 2 ? 0 : 1];
    const where = edge ? ` in the half of the image towards the patient's ${named(edge)}` : "";
    parts.push(`${label(region.label)} is seen${where}, ${percent(region.peak)}`);
  }
  return `${parts.join("; ")}.`;
}
