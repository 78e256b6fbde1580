// A study as it is now: its view, what changes while it is open, and what the reader adds.

import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { Refusal, isAbort, onChange } from "../api";
import { readDeliveries, readMaps, readStudy, readView, takePrefetched } from "./data";
import type { Reading, Study, StudyView } from "./types";
import type { Viewer } from "./viewer";

export interface Open {
  view: StudyView | null;
  /** Why there is no view. */
  error: unknown;
  /** The study was deleted while it was open. */
  gone: boolean;
  /** A newer result than the one that is shown. */
  newer: number | null;
  reload: () => void;
  /** Adds what the reader has just done. */
  note: (reading: Reading) => void;
  setStudy: (study: Study) => void;
}

/** Opens a study in a viewer: one revision of it, or the newest. */
export function useStudy(uid: string, revision: number | undefined, viewer: Viewer): Open {
  const [view, setView] = useState<StudyView | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [gone, setGone] = useState(false);
  const [newer, setNewer] = useState<number | null>(null);
  const [turn, setTurn] = useState(0);
  const shown = useRef<StudyView | null>(null);

  const keep = useCallback((next: StudyView) => {
    shown.current = next;
    viewer.update(next);
    setView(next);
  }, [viewer]);

  // Before the browser paints: a slice that is here stands on the screen with the first frame.
  useLayoutEffect(() => {
    const stop = new AbortController();
    const early = revision === undefined ? takePrefetched(uid) : undefined;
    if (early && !shown.current) viewer.showPrefetched(early);
    readView(uid, revision, stop.signal).then(
      (next) => {
        shown.current = next;
        // The image first: the panel beside it may take a frame more.
        viewer.show(next, takePrefetched(uid, next.revision));
        setView(next);
        setError(null);
        setNewer(newerThan(next.study, next.revision));
        if (next.revision > 0) void loadMaps(next.revision, stop.signal);
      },
      (problem: unknown) => isAbort(problem) || setError(problem),
    );
    const loadMaps = async (of: number, signal: AbortSignal) => {
      try {
        viewer.setMaps(await readMaps(uid, of, signal));
      } catch (problem) {
        // Without maps the slices are shown as they are; the panel lists what was seen where.
        if (!isAbort(problem)) viewer.setMaps(null);
      }
    };
    return () => stop.abort();
  }, [uid, revision, viewer, turn]);

  useEffect(() => {
    const stop = new AbortController();
    const look = async () => {
      const before = shown.current;
      if (!before) return setTurn((count) => count + 1);
      try {
        const study = await readStudy(uid, stop.signal);
        setGone(false);
        viewer.retry();
        if (JSON.stringify(study) === JSON.stringify(before.study)) return;
        // Where nothing was shown, the first result is shown as it comes; else the reader says when.
        const first = before.revision === 0 && study.result_revision;
        const read = JSON.stringify(study.reading) !== JSON.stringify(before.study.reading);
        if (first) return setTurn((count) => count + 1);
        const deliveries = await readDeliveries(uid, stop.signal);
        const readings = read ? (await readView(uid, before.revision || undefined, stop.signal)).readings : undefined;
        const now = shown.current;
        // Another revision that was opened meanwhile brought its own.
        if (now?.revision !== before.revision) return;
        keep({ ...now, study, deliveries, readings: readings ?? now.readings });
        setNewer(newerThan(study, before.revision));
      } catch (problem) {
        if (problem instanceof Refusal && (problem.status === 404 || problem.status === 410)) setGone(true);
      }
    };
    const end = onChange(() => void look(), 1000);
    return () => {
      stop.abort();
      end();
    };
  }, [uid, keep, viewer]);

  return {
    view,
    error,
    gone,
    newer,
    reload: () => setTurn((count) => count + 1),
    note: (reading) => {
      const now = shown.current;
      if (now) keep({ ...now, readings: [...now.readings, reading] });
    },
    setStudy: (study) => {
      const now = shown.current;
      if (now) keep({ ...now, study });
    },
  };
}

function newerThan(study: Study, revision: number): number | null {
  const newest = study.result_revision ?? 0;
  return revision > 0 && newest > revision ? newest : null;
}
