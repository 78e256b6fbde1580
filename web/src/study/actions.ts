// What the keys and buttons of the viewer do.

import { toast } from "../shell/toasts";
import { WINDOWS } from "./canvas";
import { inWords, REFUSED } from "./measure";
import { MAP_MODES, type Viewer } from "./viewer";

/** How far a key moves the image, CSS pixels. */
const PAN = 40;

/** Actions on the image. */
export interface Actions {
  window(name: string): void;
  map(): void;
  planes(): void;
  length(): void;
  mirror(): void;
  zoom(factor: number): void;
  fit(): void;
  oneToOne(): void;
  reset(): void;
}

/** Says why no length can be measured here; false where one can. */
export function refuseLength(viewer: Viewer): boolean {
  if (!viewer.slice || viewer.slice.spacing_mm) return false;
  toast(REFUSED, "problem");
  return true;
}

export function actionsOf(viewer: Viewer): Actions {
  /** Whether the planes were shown before: they go on to cut where they did. */
  let shown = false;
  const mode = () => MAP_MODES.indexOf(viewer.state.map);
  return {
    window(name) {
      const preset = WINDOWS.find((one) => one.name === name);
      if (preset) viewer.set({ window: { level: preset.level, width: preset.width } });
    },
    map: () => viewer.set({ map: MAP_MODES[(mode() + 1) % MAP_MODES.length]! }),
    planes() {
      if (!shown) viewer.cutAt(0.5, 0.5);
      shown = true;
      viewer.set({ planes: !viewer.state.planes });
      viewer.prefetchPlanes();
    },
    length() {
      if (!viewer.state.measuring && (!viewer.slice || refuseLength(viewer))) return;
      viewer.lengths.leave();
      viewer.set({ measuring: !viewer.state.measuring });
    },
    mirror() {
      const { look } = viewer.state;
      // What is in the middle of the stage stays there.
      const pan = { x: -look.pan.x, y: look.pan.y };
      viewer.set({ look: { ...look, mirrored: !look.mirrored, pan } });
    },
    zoom(factor) {
      const { viewport } = viewer;
      if (!viewport) return;
      const { width, height } = viewport.stage;
      viewer.set({ look: viewport.zoomed(factor, { x: width / 2, y: height / 2 }) });
    },
    fit: () => viewer.set({ look: { ...viewer.state.look, zoom: 1, pan: { x: 0, y: 0 } } }),
    oneToOne: () =>
      viewer.set({ look: { ...viewer.state.look, zoom: "pixels", pan: { x: 0, y: 0 } } }),
    reset: () => viewer.reset(),
  };
}

/** Keys while a length is measured, and arrows with Shift: they move the cut of the planes, or the image where
 * there are none. Returns whether the key was one of them. */
export function pressed(viewer: Viewer, event: KeyboardEvent): boolean {
  const { measuring, planes } = viewer.state;
  const way: Record<string, [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  const [right, down] = way[event.key] ?? [0, 0];
  const arrow = right !== 0 || down !== 0;
  if (measuring) return measured(viewer, event, arrow, right, down);
  if (!arrow || !event.shiftKey) return false;
  if (!planes) {
    if (viewer.viewport) viewer.set({ look: viewer.viewport.panned(-right * PAN, -down * PAN) });
    return true;
  }
  const { cut, look } = viewer.state;
  const { rows, columns } = viewer.drawn?.pixels ?? { rows: 1, columns: 1 };
  const share = (value: number) => Math.min(Math.max(value, 0), 0.9999);
  viewer.set({
    cut: {
      row: share(cut.row + (down * 4) / rows),
      column: share(cut.column + ((look.mirrored ? -right : right) * 4) / columns),
    },
  });
  return true;
}

function measured(
  viewer: Viewer,
  event: KeyboardEvent,
  arrow: boolean,
  right: number,
  down: number,
): boolean {
  const { lengths, viewport, place } = viewer;
  if (!viewport) return false;
  if (event.key === "Escape") {
    lengths.leave();
    viewer.set({ measuring: false });
  } else if (event.key === "Backspace" || event.key === "Delete") {
    lengths.undo(place);
  } else if (arrow) {
    const by = event.shiftKey ? 10 : 1;
    lengths.move(viewport, right * by, down * by);
  } else if (event.key === "Enter" && lengths.cursor && !refuseLength(viewer)) {
    const ended = lengths.set(place, lengths.cursor);
    const mm = lengths.last(place, viewport);
    if (ended && mm !== null) toast(inWords(mm));
  } else return false;
  viewer.redraw();
  return true;
}
