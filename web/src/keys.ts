// One table of the keys of every screen. A site or reader may bind others: local storage holds, under
// `hemora-keys`, an object such as {"worklist.next": ["n"]}.

import { useEffect, useRef } from "preact/hooks";
import { keep, kept } from "./storage";

interface Key {
  /** Values of `KeyboardEvent.key`. */
  keys: readonly string[];
  /** What it does, for the help. */
  what: string;
}

const TABLE = {
  everywhere: {
    help: { keys: ["?"], what: "Show the keys of this screen" },
  },
  worklist: {
    next: { keys: ["j", "ArrowDown"], what: "Next study" },
    previous: { keys: ["k", "ArrowUp"], what: "Previous study" },
    first: { keys: ["Home"], what: "First study" },
    last: { keys: ["End"], what: "Last study" },
    open: { keys: ["Enter"], what: "Open the study" },
    acknowledge: { keys: ["a"], what: "Acknowledge: I have seen the result" },
    undo: { keys: ["u"], what: "Take the acknowledgement back" },
    search: { keys: ["/"], what: "Search" },
    filters: { keys: ["f"], what: "Go to the filters" },
  },
  study: {
    up: { keys: ["ArrowUp"], what: "Slice towards the head" },
    down: { keys: ["ArrowDown"], what: "Slice towards the feet" },
    nextKeySlice: { keys: ["PageDown"], what: "Next key slice" },
    previousKeySlice: { keys: ["PageUp"], what: "Previous key slice" },
    first: { keys: ["Home"], what: "First slice" },
    last: { keys: ["End"], what: "Last slice" },
    brain: { keys: ["1"], what: "Brain window" },
    subdural: { keys: ["2"], what: "Subdural window" },
    stroke: { keys: ["3"], what: "Stroke window" },
    bone: { keys: ["4"], what: "Bone window" },
    soft: { keys: ["5"], what: "Soft tissue window" },
    map: { keys: ["h"], what: "Location map: outline, overlay, off" },
    planes: { keys: ["m"], what: "Coronal and sagittal" },
    mirror: { keys: ["v"], what: "Mirror the image" },
    length: { keys: ["l"], what: "Measure a length" },
    copy: { keys: ["c"], what: "Copy the sentence for a report" },
    agree: { keys: ["y"], what: "Agree with what is said of any hemorrhage" },
    disagree: { keys: ["n"], what: "Disagree, with label and note" },
    acknowledge: { keys: ["a"], what: "Acknowledge: I have seen the result" },
    undo: { keys: ["u"], what: "Take the acknowledgement back" },
    larger: { keys: ["+", "="], what: "Zoom in" },
    smaller: { keys: ["-"], what: "Zoom out" },
    fit: { keys: ["0"], what: "Fit the image into its space" },
    oneToOne: { keys: ["z"], what: "One pixel of the image to one of the canvas" },
    reset: { keys: ["r"], what: "Reset window, zoom and position" },
    back: { keys: ["Escape"], what: "Back to the worklist" },
  },
  quality: {},
  system: {},
  audit: {},
  users: {},
} as const satisfies Record<string, Record<string, Key>>;

/** A screen that has keys. */
export type Screen = keyof typeof TABLE;

/** The keys of a screen by name. */
export type KeyName<S extends Screen> = keyof (typeof TABLE)[S] & string;

/** Where other bindings are kept. */
const STORED = "hemora-keys";

/** Longest list of keys for one action; what is stored is not trusted. */
const MOST_KEYS = 4;

function stored(): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(kept(STORED) ?? "{}");
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

/** The keys of an action: those bound here, or those of the table. */
export function keysOf(screen: Screen, name: string): readonly string[] {
  const bound = stored()[`${screen}.${name}`];
  if (Array.isArray(bound) && bound.every((key) => typeof key === "string") && bound.length > 0) {
    return bound.slice(0, MOST_KEYS);
  }
  return (TABLE[screen] as Record<string, Key>)[name]?.keys ?? [];
}

/** Binds a key to an action instead of those it has; without a key, those of the table again. */
export function bind(screen: Screen, name: string, key?: string): void {
  const all = stored();
  if (key === undefined) delete all[`${screen}.${name}`];
  else all[`${screen}.${name}`] = [key];
  keep(STORED, JSON.stringify(all));
}

/** Actions of a screen with their keys, for the help. */
export function keysFor(screen: Screen): { name: string; keys: readonly string[]; what: string }[] {
  return Object.entries(TABLE[screen] as Record<string, Key>).map(([name, { what }]) => ({
    name,
    what,
    keys: keysOf(screen, name),
  }));
}

/** A key as it is printed on a keyboard. */
export function printed(key: string): string {
  const names: Record<string, string> = {
    ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", PageUp: "PgUp", PageDown: "PgDn", Escape: "Esc", " ": "Space",
  };
  return names[key] ?? key;
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target.matches("textarea, select")) return true;
  return target.matches("input:not([type=checkbox], [type=radio], [type=button])");
}

/** Whether the element under the focus does something of its own with this key. */
function belongsToElement(event: KeyboardEvent): boolean {
  const target = event.target;
  if (!(target instanceof HTMLElement)) return false;
  if (event.key === "Enter" || event.key === " ") return target.matches("a[href], button, summary, input");
  return false;
}

/** Calls what belongs to a key while this screen is shown. Keys are left alone while somebody types or a dialog is open. */
export function useKeys<S extends Screen>(
  screen: S,
  handlers: Partial<Record<KeyName<S>, (event: KeyboardEvent) => void>>,
): void {
  const newest = useRef(handlers);
  newest.current = handlers;
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || belongsToElement(event)) return;
      if (document.querySelector("dialog[open]")) return;
      for (const [name, handle] of Object.entries(newest.current)) {
        if (!handle || !keysOf(screen, name).includes(event.key)) continue;
        event.preventDefault();
        (handle as (event: KeyboardEvent) => void)(event);
        return;
      }
    };
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, [screen]);
}
