// Short messages, which screen readers speak too.

import { useEffect, useState } from "preact/hooks";
import { go } from "../router";

interface Toast {
  id: number;
  words: string;
  kind: "done" | "problem" | "news";
  /** Where its link leads. */
  to?: string;
}

/** How long a message stays, ms; problems stay longer. */
const STAYS = { done: 5_000, news: 12_000, problem: 12_000 };

/** At most so many at once; the oldest go. */
const AT_ONCE = 4;

let toasts: Toast[] = [];
let number = 0;
let show: (toasts: Toast[]) => void = () => undefined;

function set(next: Toast[]): void {
  toasts = next;
  show(next);
}

/** Shows a message for some seconds. */
export function toast(words: string, kind: Toast["kind"] = "done", to?: string): void {
  number += 1;
  const made: Toast = { id: number, words, kind, ...(to ? { to } : {}) };
  set([...toasts, made].slice(-AT_ONCE));
  setTimeout(() => drop(made.id), STAYS[kind]);
}

function drop(id: number): void {
  set(toasts.filter((one) => one.id !== id));
}

/** Where messages are shown. */
export function Toasts() {
  const [shown, setShown] = useState(toasts);
  useEffect(() => {
    show = setShown;
    return () => void (show = () => undefined);
  }, []);
  return (
    <div class="toasts" role="status" aria-live="polite">
      {shown.filter((one) => one.to !== location.pathname).map((one) => (
        <div key={one.id} class={`toast ${one.kind}`}>
          <span>{one.words}</span>
          {one.to && (
            <a href={one.to} onClick={(event) => { event.preventDefault(); drop(one.id); go(one.to ?? "/"); }}>Open</a>
          )}
          <button type="button" class="plain" aria-label="Dismiss" onClick={() => drop(one.id)}>×</button>
        </div>
      ))}
    </div>
  );
}
