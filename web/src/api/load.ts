// A document that a screen shows: loading, there, or why it is not; read again when asked.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { isAbort } from "./client";

/** What a screen knows of a document. An error may stand beside an older document. */
export interface Loaded<T> {
  data?: T;
  error?: unknown;
  loading: boolean;
  /** Reads it again; what is there stays until the answer comes. */
  again: () => void;
}

/** Reads a document when `inputs` change. */
export function useLoaded<T>(load: (signal: AbortSignal) => Promise<T>, inputs: unknown[]): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: unknown; loading: boolean }>({ loading: true });
  const running = useRef<AbortController | undefined>(undefined);
  const start = () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    set((before) => ({ ...before, loading: true }));
    load(controller.signal).then(
      (data) => !controller.signal.aborted && set({ data, loading: false }),
      (error: unknown) => {
        if (isAbort(error) || controller.signal.aborted) return;
        set((before) => ({ ...before, error, loading: false }));
      },
    );
  };
  const newest = useRef(start);
  newest.current = start;
  useEffect(() => {
    newest.current();
    return () => running.current?.abort();
  }, inputs);
  return { ...state, again: useCallback(() => newest.current(), []) };
}
