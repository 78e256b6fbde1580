// The probability along the stack: a curve to click, drag and walk along with keys.

import { useEffect, useRef } from "preact/hooks";
import { label, percent } from "../words";
import type { Finding, Label, Series } from "./types";
import { useViewer } from "./use-viewer";
import type { Viewer } from "./viewer";

/** Units of the drawing; it is stretched to its place. */
const WIDTH = 1000;
const HEIGHT = 100;

export function Stack({ viewer }: { viewer: Viewer }) {
  const state = useViewer(viewer);
  const slider = useRef<HTMLDivElement>(null);
  const here = useRef<HTMLElement>(null);
  const series = viewer.series;
  const count = series?.slices.length ?? 0;
  useEffect(() => {
    const follow = () => {
      const { drawn } = viewer;
      if (!drawn || !slider.current || !here.current) return;
      const now = String(drawn.slice + 1);
      if (slider.current.getAttribute("aria-valuenow") === now) return;
      here.current.style.left = `${middle(drawn.slice, viewer.series?.slices.length ?? 1)}%`;
      slider.current.setAttribute("aria-valuenow", now);
      slider.current.setAttribute("aria-valuetext", inWords(viewer));
    };
    slider.current?.removeAttribute("aria-valuenow");
    follow();
    return viewer.onDraw(follow);
  }, [viewer, series, state.label]);
  if (!series || count === 0) return null;
  const finding = viewer.view?.findings?.findings.find((one) => one.label === state.label);
  const keys = (viewer.view?.key_slices ?? []).filter((key) => key.series === state.series);
  const goTo = (event: PointerEvent) => {
    const box = slider.current!.getBoundingClientRect();
    viewer.go(Math.floor(((event.clientX - box.left) / box.width) * count));
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    slider.current!.setPointerCapture(event.pointerId);
    goTo(event);
  };
  const key = (event: KeyboardEvent) => {
    const by: Record<string, number> = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 };
    const step = by[event.key];
    if (step === undefined || event.shiftKey) return;
    event.preventDefault();
    viewer.step(step);
  };
  return (
    <div class="stack">
      <div class="stack-title">
        <span>{`Probability of ${label(state.label)} along the stack`}</span>
        <span class="quiet">▾ key slices; dashed: thresholds of the study</span>
      </div>
      <div
        ref={slider}
        class="stack-slider"
        data-testid="stack"
        role="slider"
        tabIndex={0}
        aria-label={`Slice; probability of ${label(state.label)} along the stack`}
        aria-valuemin={1}
        aria-valuemax={count}
        onPointerDown={down}
        onPointerMove={(event) => event.buttons === 1 && goTo(event)}
        onKeyDown={key}
      >
        <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          <path class="area" d={area(series, state.label)} />
          {thresholds(finding)}
        </svg>
        {keys.map(({ slice }) => (
          <i key={slice} class="key-slice" aria-hidden="true" style={{ left: `${middle(slice, count)}%` }}>
            ▾
          </i>
        ))}
        <i ref={here} class="here" aria-hidden="true" />
      </div>
    </div>
  );
}

/** Middle of a slice's place, %. */
function middle(slice: number, count: number): number {
  return ((slice + 0.5) / count) * 100;
}

/** The curve, a step a slice. */
function area(series: Series, name: Label): string {
  const { length } = series.slices;
  const steps = series.slices.map((slice, index) => {
    const y = HEIGHT * (1 - slice.probabilities[name]);
    return `V${y.toFixed(1)}H${(((index + 1) / length) * WIDTH).toFixed(1)}`;
  });
  return `M0 ${HEIGHT}${steps.join("")}V${HEIGHT}Z`;
}

function thresholds(finding: Finding | undefined) {
  if (!finding) return null;
  const line = (at: number, name: string) => {
    const y = HEIGHT * (1 - at);
    return <line key={name} class={`threshold ${name}`} x1={0} x2={WIDTH} y1={y} y2={y} />;
  };
  const { absent_below: absent, present_from: present } = finding;
  return [line(present, "present"), absent < present && line(absent, "absent")];
}

function inWords(viewer: Viewer): string {
  const { drawn, slice, series, state } = viewer;
  if (!drawn || !slice || !series) return "";
  const share = percent(slice.probabilities[state.label]);
  const keys = viewer.view?.key_slices ?? [];
  const key = keys.some((one) => one.series === drawn.series && one.slice === drawn.slice);
  return `slice ${drawn.slice + 1} of ${series.slices.length}, ${label(state.label)} ${share}${key ? ", key slice" : ""}`;
}
