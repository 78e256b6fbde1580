// The stream that says when the list has changed, and whether the node can be reached.

import { useEffect, useState } from "preact/hooks";
import { Refusal, read } from "./client";

/** Waits between tries to reach the node again, ms; the last one stays. */
const PAUSES = [500, 1_000, 2_000, 5_000];

const changed = new Set<() => void>();
const moved = new Set<() => void>();

let source: EventSource | undefined;
let offlineSince: Date | undefined;
let tries = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Opens the stream, and opens it again whenever it breaks. */
export function connect(): void {
  clearTimeout(timer);
  source?.close();
  const stream = new EventSource("/api/v1/events");
  source = stream;
  stream.addEventListener("open", reached);
  stream.addEventListener("change", () => {
    reached();
    for (const tell of changed) tell();
  });
  stream.addEventListener("error", () => {
    stream.close();
    if (source === stream) void broken(stream);
  });
}

/** Closes the stream for good. */
export function disconnect(): void {
  clearTimeout(timer);
  source?.close();
  source = undefined;
  setOffline(undefined);
}

function reached(): void {
  tries = 0;
  setOffline(undefined);
}

async function broken(stream: EventSource): Promise<void> {
  // A stream says nothing of why it broke: a request does.
  try {
    await read("/api/v1/session");
  } catch (error) {
    // A session that has ended stops the stream; the new login opens it again.
    if (error instanceof Refusal && error.status === 401) {
      for (const tell of ended) tell();
      return;
    }
    setOffline(offlineSince ?? new Date());
  }
  // Closed for good, or opened anew, in the meantime.
  if (source !== stream) return;
  const pause = PAUSES[Math.min(tries, PAUSES.length - 1)];
  tries += 1;
  timer = setTimeout(connect, pause);
}

function setOffline(since: Date | undefined): void {
  if (since?.getTime() === offlineSince?.getTime()) return;
  offlineSince = since;
  for (const tell of moved) tell();
}

const ended = new Set<() => void>();

/** Calls `tell` when the stream finds that the session has ended. */
export function onStreamRefused(tell: () => void): () => void {
  ended.add(tell);
  return () => ended.delete(tell);
}

/** Calls `tell` at each change, and when the node is there again, at most once in `pause` ms. */
export function onChange(tell: () => void, pause = 500): () => void {
  let waits: ReturnType<typeof setTimeout> | undefined;
  let last = 0;
  const soon = () => {
    if (waits !== undefined) return;
    waits = setTimeout(() => {
      waits = undefined;
      last = Date.now();
      tell();
    }, Math.max(0, last + pause - Date.now()));
  };
  changed.add(soon);
  return () => {
    clearTimeout(waits);
    changed.delete(soon);
  };
}

/** Since when the node has not been reached; undefined while it is. */
export function useOffline(): Date | undefined {
  const [since, set] = useState(offlineSince);
  useEffect(() => {
    const tell = () => set(offlineSince);
    moved.add(tell);
    tell();
    return () => void moved.delete(tell);
  }, []);
  return since;
}
