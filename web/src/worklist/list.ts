// The rows of the worklist: loaded in pages, read again at each change, the same object where nothing changed.

import { useEffect, useRef, useState } from "preact/hooks";
import { type Documents, isAbort, onChange, read } from "../api";

/** A study of the list. */
export type Study = Documents["Study"];

/** Rows that are loaded at most. */
export const MOST_ROWS = 500;

/** Rows a request, the most that the node gives. */
const PAGE = 200;

/** What the list is narrowed to; empty for everything. */
export interface Filters {
  class: string;
  state: string;
  text: string;
  source: string;
  unread: boolean;
}

/** What is known of the list. */
export interface List {
  rows?: Study[];
  /** Whether the node has more than are loaded. */
  more: boolean;
  error?: unknown;
  again: () => void;
  /** Shows at once what a request has changed; the node's own list follows. */
  patch: (study: Study, reading: Partial<Study["reading"]>) => void;
}

/** The filters that stand in an address. */
export function filtersOf(query: URLSearchParams): Filters {
  return {
    class: query.get("class") ?? "",
    state: query.get("state") ?? "",
    text: query.get("q") ?? "",
    source: query.get("source") ?? "",
    unread: query.get("unread") === "1",
  };
}

/** The address of the list with filters. */
export function addressOf(filters: Filters): string {
  const query = new URLSearchParams();
  if (filters.text) query.set("q", filters.text);
  if (filters.class) query.set("class", filters.class);
  if (filters.state) query.set("state", filters.state);
  if (filters.source) query.set("source", filters.source);
  if (filters.unread) query.set("unread", "1");
  return query.size > 0 ? `/?${query}` : "/";
}

/** Whether nobody has acknowledged what was found. */
export function isUnread(study: Study): boolean {
  return study.class !== undefined && study.class !== null && !study.reading.acknowledged_by;
}

/** Whether the waiting time of a study runs: nobody has opened or acknowledged it. */
export function isWaiting(study: Study): boolean {
  return !study.reading.acknowledged_by && !study.reading.opened_by;
}

async function load(filters: Filters, signal: AbortSignal): Promise<{ rows: Study[]; more: boolean }> {
  const rows: Study[] = [];
  let after: string | undefined;
  do {
    const limit = Math.min(PAGE, MOST_ROWS - rows.length);
    const query = { class: filters.class, state: filters.state, q: filters.text, limit, after };
    const page = await read("/api/v1/studies", { query, signal });
    rows.push(...page.studies);
    after = page.next ?? undefined;
  } while (after !== undefined && rows.length < MOST_ROWS);
  // While a list is read in pages, a study may move from one to the next: its first place counts.
  const once = new Map(rows.map((row) => [row.study_instance_uid, row] as const).reverse());
  const unique = rows.filter((row) => once.get(row.study_instance_uid) === row);
  return { rows: unique, more: after !== undefined };
}

/** Rows that did not change stay the same objects, so that they are not rendered again. */
function merged(before: Study[] | undefined, now: Study[]): Study[] {
  if (!before) return now;
  const old = new Map(before.map((row) => [row.study_instance_uid, row] as const));
  return now.map((row) => {
    const same = old.get(row.study_instance_uid);
    return same && JSON.stringify(same) === JSON.stringify(row) ? same : row;
  });
}

/** The list, kept up to date. */
export function useList(filters: Filters): List {
  const [state, set] = useState<{ rows?: Study[]; more: boolean; error?: unknown }>({ more: false });
  const running = useRef<AbortController | undefined>(undefined);
  const asked = `${filters.class}\n${filters.state}\n${filters.text}`;
  const start = () => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    load(filters, controller.signal).then(
      ({ rows, more }) => {
        if (!controller.signal.aborted) set((before) => ({ rows: merged(before.rows, rows), more }));
      },
      (error: unknown) => {
        if (!isAbort(error) && !controller.signal.aborted) set((before) => ({ ...before, error }));
      },
    );
  };
  const newest = useRef(start);
  newest.current = start;
  useEffect(() => {
    newest.current();
    const stop = onChange(() => newest.current());
    return () => {
      stop();
      running.current?.abort();
    };
  }, [asked]);
  const patch: List["patch"] = ({ study_instance_uid: uid }, reading) => {
    const patched = (row: Study) => (row.study_instance_uid === uid ? { ...row, reading: { ...row.reading, ...reading } } : row);
    set((before) => (before.rows ? { ...before, rows: before.rows.map(patched) } : before));
  };
  return { ...state, again: () => newest.current(), patch };
}
