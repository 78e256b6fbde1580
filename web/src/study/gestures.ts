// Mouse, wheel and fingers on the stage.

import { dragged } from "./canvas";
import type { Viewer } from "./viewer";
import type { Point } from "./viewport";

/** Pixels that a pointer may move within a click. */
const CLICK = 4;
/** Wheel travel of one slice, in pixels. */
const NOTCH = 60;
/** Finger travel of one slice, at least. */
const SWIPE = 6;

type Drag = {
  kind: "window" | "pan" | "swipe" | "pinch" | "length";
  from: Point;
  last: Point;
  moved: boolean;
  /** What was set when it began. */
  window: Viewer["state"]["window"];
  slice: number;
};

/** Listens on a stage; returns what ends it. */
export function listen(stage: HTMLElement, viewer: Viewer, refuseLength: () => boolean): () => void {
  const fingers = new Map<number, Point>();
  let drag: Drag | null = null;
  let apart = 0;
  let space = false;
  let wheel = 0;
  const stop = new AbortController();
  const { signal } = stop;

  const at = (event: MouseEvent): Point => {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const middle = (): Point => {
    const [a, b] = [...fingers.values()];
    return a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : (a ?? { x: 0, y: 0 });
  };
  const spread = (): number => {
    const [a, b] = [...fingers.values()];
    return a && b ? Math.max(Math.hypot(a.x - b.x, a.y - b.y), 1) : 0;
  };
  const setPoint = (point: Point) => {
    if (!viewer.viewport || refuseLength()) return;
    viewer.lengths.cursor = null;
    viewer.lengths.set(viewer.place, viewer.viewport.sliceFromStage(point));
    viewer.redraw();
  };
  const begin = (kind: Drag["kind"], from: Point) => {
    const { window, slice } = viewer.state;
    drag = { kind, from, last: from, moved: false, window, slice };
  };

  const down = (event: PointerEvent) => {
    if (event.target instanceof Element && event.target.closest("button, a, select")) return;
    if (event.button > 1) return;
    const point = at(event);
    stage.setPointerCapture(event.pointerId);
    stage.focus({ preventScroll: true });
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, point);
      if (fingers.size === 2) {
        apart = spread();
        return begin("pinch", middle());
      }
      return begin(viewer.state.measuring ? "length" : "swipe", point);
    }
    event.preventDefault();
    if (event.button === 1 || space) begin("pan", point);
    else begin(viewer.state.measuring ? "length" : "window", point);
    if (drag?.kind === "length") setPoint(point);
  };

  const move = (event: PointerEvent) => {
    const point = at(event);
    viewer.pointer = event.pointerType === "touch" && !drag ? null : point;
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, point);
    if (!drag) return viewer.redraw();
    const now = drag.kind === "pinch" ? middle() : point;
    const [right, below] = [now.x - drag.from.x, now.y - drag.from.y];
    drag.moved ||= Math.hypot(right, below) > CLICK || drag.kind === "pinch";
    if (!drag.moved) return;
    const step = { x: now.x - drag.last.x, y: now.y - drag.last.y };
    drag.last = now;
    const { viewport } = viewer;
    if (drag.kind === "window") viewer.set({ window: dragged(drag.window, right, below) });
    else if (drag.kind === "pan" && viewport) viewer.set({ look: viewport.panned(step.x, step.y) });
    else if (drag.kind === "swipe") {
      const count = viewer.series?.slices.length ?? 1;
      const each = Math.max(stage.clientHeight / count / 1.5, SWIPE);
      viewer.go(drag.slice - Math.round(below / each));
    } else if (drag.kind === "pinch" && viewport) {
      const wide = spread();
      const zoomed = viewport.zoomed(wide / apart, now);
      apart = wide;
      const pan = { x: zoomed.pan.x + step.x, y: zoomed.pan.y + step.y };
      viewer.set({ look: { ...zoomed, pan } });
    } else viewer.redraw();
  };

  const up = (event: PointerEvent) => {
    const point = at(event);
    fingers.delete(event.pointerId);
    const done = drag;
    drag = null;
    if (fingers.size > 0 || !done || event.type === "pointercancel") return;
    if (done.kind === "length") {
      // A drag sets both ends, and a finger its first one only when it is lifted.
      const finger = event.pointerType === "touch";
      if (finger && done.moved) setPoint(done.from);
      if (finger || (done.moved && viewer.lengths.isBegun(viewer.place))) setPoint(point);
    } else if (!done.moved && done.kind !== "pan" && viewer.state.planes) cutAt(point);
    if (event.pointerType === "touch") viewer.pointer = null;
    viewer.redraw();
  };

  const cutAt = (point: Point) => {
    const { viewport } = viewer;
    if (!viewport) return;
    const { x, y } = viewport.sliceFromStage(point);
    viewer.cutAt(y / viewport.image.rows, x / viewport.image.columns);
  };

  const turn = (event: WheelEvent) => {
    event.preventDefault();
    const unit = event.deltaMode === 1 ? 40 : event.deltaMode === 2 ? 400 : 1;
    const travel = event.deltaY * unit;
    if (event.ctrlKey) {
      const { viewport } = viewer;
      if (viewport) viewer.set({ look: viewport.zoomed(Math.exp(-travel / 300), at(event)) });
      return;
    }
    if (Math.sign(travel) !== Math.sign(wheel)) wheel = 0;
    wheel += travel;
    // A notch of a mouse is one slice, however far the system says that it goes.
    const steps = Math.abs(travel) >= NOTCH ? Math.sign(travel) : Math.trunc(wheel / NOTCH);
    if (steps === 0) return;
    wheel = 0;
    viewer.step(-steps);
  };

  const key = (event: KeyboardEvent) => {
    if (event.key !== " ") return;
    const pressed = event.type === "keydown";
    const free = document.activeElement === document.body || document.activeElement === stage;
    space = pressed && free;
    if (space) event.preventDefault();
    stage.classList.toggle("grab", space);
  };

  stage.addEventListener("pointerdown", down, { signal });
  stage.addEventListener("pointermove", move, { signal });
  stage.addEventListener("pointerup", up, { signal });
  stage.addEventListener("pointercancel", up, { signal });
  stage.addEventListener("pointerleave", () => {
    viewer.pointer = null;
    viewer.redraw();
  }, { signal });
  stage.addEventListener("wheel", turn, { passive: false, signal });
  addEventListener("keydown", key, { signal });
  addEventListener("keyup", key, { signal });
  return () => stop.abort();
}
