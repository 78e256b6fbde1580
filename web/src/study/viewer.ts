// The viewer without its frame: which slice is shown and how. Draws in animation frames, so that a slice costs no
// rendering of the screen.

import { isAbort, wordsOf } from "../api";
import { SliceCache, outwards } from "./cache";
import { SliceCanvas, WINDOWS, type Pixels, type Window } from "./canvas";
import { type Prefetched, pixels, sliceAddress } from "./data";
import { Hud } from "./hud";
import { MapLayer, type Stage, layFrame } from "./layers";
import { Lengths, cutLines } from "./measure";
import { chosen } from "./overlay";
import type { Label, Maps, Series, Slice, SliceMap, SliceRef, StudyView } from "./types";
import { FITTING, type Look, type Point, Viewport } from "./viewport";
import { type Share, lines, offset, reducedSide } from "./volume";

export const MAP_MODES = ["outline", "overlay", "off"] as const;

/** What the reader set. The slice is the wanted one; it may still be on its way. */
export interface ViewerState {
  series: number;
  slice: number;
  window: Window;
  look: Look;
  map: (typeof MAP_MODES)[number];
  /** Whose map and probabilities are shown. */
  label: Label;
  planes: boolean;
  /** Where the planes cut, on the middle slice. Set when they are first shown. */
  cut: Share;
  measuring: boolean;
}

/** A slice that could not be fetched is asked for again after so long, ms. */
const PATIENCE = 5000;
/** Bytes of full slices that are fetched ahead. */
const AHEAD = 128 * 1024 * 1024;
/** Full slices to either side that are fetched before the reduced ones of the planes. */
const NEAR = 12;

export class Viewer {
  state: ViewerState = {
    series: 0,
    slice: 0,
    window: { level: WINDOWS[0]!.level, width: WINDOWS[0]!.width },
    look: FITTING,
    map: "outline",
    label: "any",
    planes: false,
    cut: { row: 0.5, column: 0.5 },
    measuring: false,
  };
  view: StudyView | null = null;
  readonly cache = new SliceCache(pixels);
  readonly lengths = new Lengths();
  /** What stands on the canvas. */
  drawn: (SliceRef & { pixels: Pixels }) | null = null;
  /** Where the pointer is on the stage. */
  pointer: Point | null = null;
  /** Why the wanted slice is not shown. */
  problem: string | null = null;
  viewport: Viewport | null = null;

  private known: Maps | null = null;
  private maps = new MapLayer();
  private stage: Stage | null = null;
  private canvas: SliceCanvas | null = null;
  private hud: Hud | null = null;
  private frame = 0;
  private painted: Window | null = null;
  private keySlice = -1;
  private marked = false;
  /** The address that failed last, which is asked for again only after a while. */
  private failed = "";
  /** The address around which slices are fetched ahead. */
  private around = "";
  /** The address whose slice was asked for before its view. */
  private coming = "";
  private readonly changes = new Set<() => void>();
  private readonly draws = new Set<() => void>();

  constructor(private readonly uid: string) {
    this.cache.onArrival((address) => {
      if (address === this.address(this.state)) this.redraw();
    });
  }

  /** Begins to draw to a stage; returns what ends it. */
  attach(stage: Stage): () => void {
    this.stage = stage;
    this.canvas = new SliceCanvas(stage.canvas);
    this.hud = new Hud(stage.stage);
    this.maps = new MapLayer();
    this.painted = null;
    const resized = new ResizeObserver(() => this.redraw());
    resized.observe(stage.stage);
    this.draw();
    return () => {
      resized.disconnect();
      cancelAnimationFrame(this.frame);
      this.frame = 0;
      this.stage = this.canvas = this.hud = null;
    };
  }

  close(): void {
    this.cache.close();
    this.changes.clear();
    this.draws.clear();
  }

  /** Calls when what the reader set has changed, but not for a slice. */
  onChange(listener: () => void): () => void {
    this.changes.add(listener);
    return () => this.changes.delete(listener);
  }

  /** Calls when something was drawn. */
  onDraw(listener: () => void): () => void {
    this.draws.add(listener);
    return () => this.draws.delete(listener);
  }

  /** Shows a slice that came before its view. */
  showPrefetched({ at, pixels, here }: Prefetched): void {
    const show = (found: Pixels | null) => {
      if (!found || this.view) return;
      this.state = { ...this.state, ...at };
      this.drawn = { ...at, pixels: found };
      this.painted = null;
      this.draw();
    };
    if (here) show(here);
    else void pixels.then(show);
  }

  /** Shows a view, at its key slice; the slice that was fetched beforehand is kept if it is of it. */
  show(view: StudyView, prefetched?: Prefetched): void {
    const first = this.view === null;
    this.view = view;
    // What belongs to the slices of another revision must not stand on these.
    this.known = null;
    this.lengths.clear();
    const { key_slices: keys } = view;
    const key = keys.find(({ series, slice }) => view.series[series]?.slices[slice]);
    const at = key ?? { series: 0, slice: Math.floor((view.series[0]?.slices.length ?? 0) / 2) };
    this.keySlice = key ? keys.indexOf(key) : -1;
    const had = first && prefetched?.at.series === at.series && prefetched.at.slice === at.slice;
    if (had && this.drawn) this.cache.put(this.address(at), this.drawn.pixels);
    else {
      this.drawn = null;
      if (had) this.await(prefetched);
    }
    this.set({ ...at, look: FITTING });
    if (first) this.draw();
  }

  /** Asks for the wanted slice only when the one that is on its way has come. */
  private await({ at, pixels }: Prefetched): void {
    const address = this.address(at);
    this.coming = address;
    void pixels.then((found) => {
      if (found) this.cache.put(address, found);
      this.coming = "";
      this.redraw();
    });
  }

  /** Takes over what changed around the images. */
  update(view: StudyView): void {
    this.view = view;
  }

  /** Asks again for a slice that could not be fetched. */
  retry(): void {
    if (this.problem === null) return;
    this.failed = "";
    this.redraw();
  }

  setMaps(maps: Maps | null): void {
    this.known = maps;
    this.redraw();
    this.tell();
  }

  /** Changes what is shown. */
  set(part: Partial<ViewerState>): void {
    const before = this.state;
    this.state = { ...before, ...part };
    this.redraw();
    if (this.told(before) !== this.told(this.state)) this.tell();
  }

  /** What the buttons show of a state. */
  private told({ series, map, label, planes, measuring, look, window }: ViewerState): string {
    return [series, map, label, planes, measuring, look.mirrored, this.preset(window)].join();
  }

  /** Name of the preset that a window is. */
  preset(window = this.state.window): string | null {
    const is = ({ level, width }: Window) => level === window.level && width === window.width;
    return WINDOWS.find(is)?.name ?? null;
  }

  get series(): Series | undefined {
    return this.view?.series[this.state.series];
  }

  /** Whether coronal and sagittal images can be made of the series. */
  get hasVolume(): boolean {
    return this.series !== undefined && typeof lines(this.series) !== "string";
  }

  /** Where the planes cut the slice on the canvas. */
  get cutHere(): Share {
    const { row, column } = this.state.cut;
    const away = this.series && this.drawn && offset(this.series, this.drawn.slice);
    return { row: row - (away?.row ?? 0), column: column - (away?.column ?? 0) };
  }

  /** Lets the planes cut a place of the slice on the canvas. */
  cutAt(row: number, column: number): void {
    const away = this.series && this.drawn && offset(this.series, this.drawn.slice);
    const share = (value: number, more = 0) => Math.min(Math.max(value + more, 0), 0.9999);
    this.set({ cut: { row: share(row, away?.row), column: share(column, away?.column) } });
  }

  /** The slice on the canvas. */
  get slice(): Slice | undefined {
    return this.drawn ? this.view?.series[this.drawn.series]?.slices[this.drawn.slice] : undefined;
  }

  /** Goes to a slice of the series, the nearest there is. */
  go(slice: number): void {
    const last = (this.series?.slices.length ?? 1) - 1;
    this.set({ slice: Math.min(Math.max(Math.round(slice), 0), last) });
  }

  step(by: number): void {
    this.go(this.state.slice + by);
  }

  /** Goes to another key slice: the next less suspicious one (1) or the one before (−1). */
  stepKeySlice(by: number): void {
    const keys = this.view?.key_slices ?? [];
    if (keys.length === 0) return;
    const { series, slice } = this.state;
    const here = keys.findIndex((key) => key.series === series && key.slice === slice);
    // Away from a key slice, the first step leads back to the last one that was seen.
    const next = here >= 0 ? here + by : Math.max(this.keySlice, 0);
    this.keySlice = (next + keys.length) % keys.length;
    this.set(keys[this.keySlice]!);
  }

  /** Goes to another series, at its most suspicious slice. */
  openSeries(series: number): void {
    const key = this.view?.key_slices.find((one) => one.series === series);
    const slices = this.view?.series[series]?.slices ?? [];
    this.set({ series, slice: key?.slice ?? Math.floor(slices.length / 2), look: FITTING });
  }

  reset(): void {
    const { level, width } = WINDOWS[0]!;
    const look = FITTING;
    this.lengths.clear();
    this.set({ window: { level, width }, look, measuring: false });
    this.cutAt(0.5, 0.5);
  }

  /** Point of the slice below the pointer. */
  get pointed(): Point | null {
    return this.pointer && this.viewport ? this.viewport.sliceFromStage(this.pointer) : null;
  }

  /** The map that belongs to the slice on the canvas and the label. */
  get map(): SliceMap | undefined {
    if (!this.drawn) return undefined;
    const { series, slice } = this.drawn;
    return chosen(this.known?.series[series]?.[String(slice)], this.state.label);
  }

  /** Names the slice on the canvas, for its lengths. */
  get place(): string {
    return this.drawn ? `${this.drawn.series}/${this.drawn.slice}` : "";
  }

  address(at: SliceRef, side?: number): string {
    return sliceAddress(this.uid, at, this.view?.revision, side);
  }

  /** Draws in the next frame. */
  redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.draw();
    });
  }

  private tell(): void {
    for (const listener of this.changes) listener();
  }

  private draw(): void {
    if (!this.stage || !this.canvas) return;
    if (this.view) this.find();
    const { drawn, state } = this;
    this.stage.frame.hidden = !drawn;
    if (!drawn) {
      this.stage.marks.replaceChildren();
      this.hud?.draw(this);
      return;
    }
    if (this.painted !== state.window || this.stage.canvas.dataset.slice !== String(drawn.slice)) {
      this.canvas.draw(drawn.pixels, state.window);
      this.painted = state.window;
      this.stage.canvas.dataset.slice = String(drawn.slice);
      if (!this.marked) performance.mark("hemora-key-slice");
      this.marked = true;
    }
    this.viewport = this.layOut(this.stage, drawn.pixels);
    const map = state.map === "off" ? undefined : this.map;
    this.maps.draw(this.stage, map, state.map, drawn.pixels);
    const pointed = this.state.measuring ? this.pointed : null;
    this.stage.marks.replaceChildren(
      ...(state.planes && this.hasVolume ? cutLines(this.viewport, this.cutHere) : []),
      ...this.lengths.draw(this.place, this.viewport, pointed),
    );
    this.hud?.draw(this);
    for (const listener of this.draws) listener();
  }

  /** Takes the wanted slice from the cache, or asks for it. */
  private find(): void {
    const { state, view } = this;
    const at = { series: state.series, slice: state.slice };
    if (!view?.series[at.series]?.slices[at.slice]) return;
    const address = this.address(at);
    const pixels = this.cache.get(address);
    if (pixels) {
      this.problem = null;
      if (this.drawn?.pixels !== pixels || this.drawn.slice !== at.slice) {
        this.drawn = { ...at, pixels };
        this.painted = null;
      }
      // Also around a slice that came before its view, and so was drawn already.
      if (this.around !== address) this.prefetch(at);
      this.around = address;
      return;
    }
    if (address === this.failed || address === this.coming) return;
    this.problem = null;
    this.cache.forgetAllBut(address);
    this.cache.load(address).catch((error: unknown) => {
      if (isAbort(error) || address !== this.address(this.state)) return;
      this.problem = wordsOf(error);
      this.failed = address;
      setTimeout(() => {
        if (this.failed === address) this.failed = "";
        this.redraw();
      }, PATIENCE);
      this.hud?.draw(this);
    });
  }

  private prefetch(at: SliceRef): void {
    const series = this.view?.series[at.series];
    if (!series) return;
    const { length } = series.slices;
    const { rows, columns } = series.slices[at.slice] ?? { rows: 512, columns: 512 };
    const far = Math.max(Math.floor(AHEAD / (rows * columns * 2) / 2), NEAR);
    const { planes } = this.state;
    const side = planes ? reducedSide(series) : undefined;
    // Planes need every slice: of a long series reduced ones.
    const reach = side !== undefined ? NEAR : planes ? length : far;
    const around = outwards(at.slice, length, reach);
    const list = around.map((slice) => this.address({ series: at.series, slice }));
    if (side !== undefined) {
      for (let slice = 0; slice < length; slice++) {
        list.push(this.address({ series: at.series, slice }, side));
      }
    }
    this.cache.prefetch(list.filter((address) => !this.cache.has(address)));
  }

  /** Fetches what the planes need. */
  prefetchPlanes(): void {
    if (this.drawn) this.prefetch(this.drawn);
  }

  private layOut(stage: Stage, pixels: Pixels): Viewport {
    const size = { width: stage.stage.clientWidth, height: stage.stage.clientHeight };
    const known = this.slice?.spacing_mm;
    const spacing = known ? ([known[0]!, known[1]!] as const) : null;
    const viewport = new Viewport(size, pixels, spacing, this.state.look, devicePixelRatio);
    layFrame(stage, viewport);
    return viewport;
  }
}
