// Which row is selected. A key moves a mark and the focus, and renders nothing: 500 rows answer at once.

import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { RefObject } from "preact";
import { nodeNow } from "../api";
import { prefetchStudy } from "../study";
import { ago } from "../words";
import type { Study } from "./list";

/** So long a row stays selected before its study is loaded ahead, ms. */
const DWELL = 150;

/** The selection of a table. */
export interface Selection {
  /** The selected study. */
  current: () => Study | undefined;
  /** Moves to the row at an index, or as near as there is one. */
  moveTo: (index: (at: number, rows: number) => number) => void;
  /** Selects a study without moving the focus. */
  mark: (uid: string) => void;
}

/** The study that was selected when the list was left: whoever comes back goes on there. */
let left: string | undefined;

/** Keeps a row selected by its study, wherever it moves, with its place on the screen. */
export function useSelection(body: RefObject<HTMLTableSectionElement | null>, rows: Study[]): Selection {
  const uid = useRef<string | undefined>(undefined);
  const focused = useRef(false);
  const top = useRef<number | undefined>(undefined);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const element = () => (uid.current ? rowOf(body.current, uid.current) : undefined);

  // Whoever points at a row or opens it means it; keys may only pass by.
  const ahead = useRef<(() => void) | undefined>(undefined);
  const fetchAhead = () => {
    clearTimeout(timer.current);
    ahead.current?.();
    ahead.current = undefined;
  };

  const show = (wanted: string | undefined, dwell = DWELL) => {
    for (const row of body.current?.querySelectorAll("tr[aria-current]") ?? []) row.removeAttribute("aria-current");
    uid.current = wanted;
    left = wanted;
    element()?.setAttribute("aria-current", "true");
    clearTimeout(timer.current);
    ahead.current = undefined;
    const study = rows.find((row) => row.study_instance_uid === wanted);
    if (study) {
      const slice = study.key_slice ? { series: study.key_slice.series, slice: study.key_slice.slice } : undefined;
      ahead.current = () => prefetchStudy(study.study_instance_uid, slice, study.result_revision);
      if (dwell > 0) timer.current = setTimeout(fetchAhead, dwell);
      else fetchAhead();
    }
  };

  const moveTo = (wanted: string) => {
    show(wanted);
    const row = element();
    if (!row) return;
    linkOf(row)?.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest", behavior: "instant" });
  };

  // The place of the selected row before the new rows are there, and whether it has the focus.
  const selected = element();
  top.current = selected?.getBoundingClientRect().top;
  focused.current = selected?.contains(document.activeElement) ?? false;

  const restored = useRef(false);
  useLayoutEffect(() => {
    if (!restored.current && rows.length > 0) {
      restored.current = true;
      if (left && rowOf(body.current, left)) moveTo(left);
    }
    const now = element();
    if (uid.current && !now) {
      show(undefined);
      return;
    }
    if (!now) return;
    if (!now.hasAttribute("aria-current")) show(uid.current);
    const moved = top.current === undefined ? 0 : now.getBoundingClientRect().top - top.current;
    if (moved !== 0 && focused.current) scrollBy({ top: moved, behavior: "instant" });
    if (focused.current && !now.contains(document.activeElement)) linkOf(now)?.focus({ preventScroll: true });
  }, [rows]);

  useEffect(() => fetchAhead, []);

  return {
    current: () => rows.find((row) => row.study_instance_uid === uid.current),
    moveTo: (index) => {
      if (rows.length === 0) return;
      const at = rows.findIndex((row) => row.study_instance_uid === uid.current);
      const to = rows[Math.min(rows.length - 1, Math.max(0, index(at, rows.length)))];
      if (to) moveTo(to.study_instance_uid);
    },
    mark: (wanted) => {
      if (wanted !== uid.current) show(wanted, 0);
    },
  };
}

function rowOf(body: HTMLTableSectionElement | null, uid: string): HTMLTableRowElement | undefined {
  return body?.querySelector<HTMLTableRowElement>(`tr[data-uid="${CSS.escape(uid)}"]`) ?? undefined;
}

function linkOf(row: Element): HTMLAnchorElement | null {
  return row.querySelector("a.open");
}

/** Lets the waiting times on the screen run, each second. */
export function useRunningTimes(body: RefObject<HTMLTableSectionElement | null>): void {
  useEffect(() => {
    const timer = setInterval(() => {
      for (const row of body.current?.rows ?? []) {
        const time = row.querySelector<HTMLElement>("time[data-since]");
        // Rows that are not on the screen are skipped by the browser, and need no new words.
        if (!time?.checkVisibility({ contentVisibilityAuto: true })) continue;
        const words = ago(time.dataset["since"] ?? "", nodeNow());
        // The text node itself: Preact goes on to own it.
        if (time.firstChild instanceof Text && time.firstChild.data !== words) time.firstChild.data = words;
      }
    }, 1_000);
    return () => clearInterval(timer);
  }, []);
}
