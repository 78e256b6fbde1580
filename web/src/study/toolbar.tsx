// The buttons above the image; each has a key too.

import { useEffect, useRef, useState } from "preact/hooks";
import { keysOf, printed, type KeyName } from "../keys";
import { label } from "../words";
import { WINDOWS } from "./canvas";
import type { Actions } from "./actions";
import type { Label } from "./types";
import { useViewer } from "./use-viewer";
import type { Viewer } from "./viewer";

const LABELS: Label[] = [
  "any",
  "epidural",
  "intraparenchymal",
  "intraventricular",
  "subarachnoid",
  "subdural",
];

/** How often a slice is announced at most, ms. */
const PAUSE = 400;

export function Toolbar(props: { viewer: Viewer; actions: Actions }) {
  const { viewer, actions } = props;
  const state = useViewer(viewer);
  const preset = viewer.preset();
  const series = viewer.view?.series ?? [];
  const button = (name: KeyName<"study">, words: string, act: () => void, pressed?: boolean) => (
    <button
      type="button"
      class="tool"
      aria-pressed={pressed}
      title={`Key ${keysOf("study", name).map(printed).join(" or ")}`}
      onClick={act}
    >
      {words}
    </button>
  );
  return (
    <div class="tools" role="toolbar" aria-label="Image">
      <span class="tool-group" role="group" aria-label="Window">
        {WINDOWS.map(({ name, title }) =>
          button(name as KeyName<"study">, title, () => actions.window(name), preset === name),
        )}
      </span>
      <span class="tool-group" role="group" aria-label="Where it is seen">
        {button("map", `Map: ${state.map}`, actions.map)}
        <label class="tool-select">
          <span class="hidden">Label of map and probabilities</span>
          <select
            value={state.label}
            onChange={(event) => viewer.set({ label: event.currentTarget.value as Label })}
          >
            {LABELS.map((name) => (
              <option key={name} value={name}>
                {label(name)}
              </option>
            ))}
          </select>
        </label>
      </span>
      <span class="tool-group" role="group" aria-label="View">
        {button("planes", "Planes", actions.planes, state.planes)}
        {button("length", "Length", actions.length, state.measuring)}
        {button("smaller", "−", () => actions.zoom(1 / 1.25))}
        {button("larger", "+", () => actions.zoom(1.25))}
        {button("fit", "Fit", actions.fit)}
        {button("oneToOne", "1:1", actions.oneToOne)}
        {button("mirror", "Mirror", actions.mirror, state.look.mirrored)}
        {button("reset", "Reset", actions.reset)}
        <Announcer viewer={viewer} />
      </span>
      {series.length > 1 && (
        <label class="tool-select">
          Series
          <select
            value={String(state.series)}
            onChange={(event) => viewer.openSeries(Number(event.currentTarget.value))}
          >
            {series.map((one, index) => (
              <option key={one.series_instance_uid} value={String(index)}>
                {`${index + 1}: ${one.description || "no description"}, ${one.slices.length} slices`}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

/** Speaks each slice to a screen reader, when asked to. */
function Announcer({ viewer }: { viewer: Viewer }) {
  const [on, set] = useState(false);
  const words = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    if (!on) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = viewer.onDraw(() => {
      timer ??= setTimeout(() => {
        timer = undefined;
        const canvas = document.querySelector("[data-testid=slice]");
        const text = canvas?.getAttribute("aria-label") ?? "";
        if (words.current && words.current.textContent !== text) words.current.textContent = text;
      }, PAUSE);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [on, viewer]);
  return (
    <>
      <button type="button" class="tool" aria-pressed={on} onClick={() => set(!on)}>
        Speak slices
      </button>
      <span class="hidden" aria-live="polite" ref={words} />
    </>
  );
}
