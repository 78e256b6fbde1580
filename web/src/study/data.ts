// What the study screen asks of the node: documents and pixels.

import { Refusal, address, change, fetchRead, read } from "../api";
import type { Pixels } from "./canvas";
import type { Label, Maps, SliceRef, Study, StudyView } from "./types";

/** Rows and columns of a slice beyond which it is not shown. */
const LARGEST = 4096;

const SLICE = "/api/v1/studies/{uid}/series/{series}/slices/{slice}";

/** Reads the pixels behind an address. */
export async function pixels(url: string, signal?: AbortSignal): Promise<Pixels> {
  const answer = await fetchRead(url, signal);
  const [rows, columns] = ["hemora-rows", "hemora-columns"].map((name) =>
    Number(answer.headers.get(name)),
  );
  const bytes = await answer.arrayBuffer();
  const sound = (side: number | undefined): side is number =>
    Number.isInteger(side) && side! >= 1 && side! <= LARGEST;
  if (!sound(rows) || !sound(columns) || bytes.byteLength !== rows * columns * 2) {
    throw new Refusal(
      `The node sent ${bytes.byteLength} bytes for ${rows} rows and ${columns} columns; this slice is not shown.`,
      0,
    );
  }
  return { rows, columns, hu: new Int16Array(bytes) };
}

/** The address of a slice, of one revision, reduced to a side if one is given. */
export function sliceAddress(uid: string, at: SliceRef, revision?: number, side?: number): string {
  return address(SLICE, { uid, series: at.series, slice: at.slice }, { revision, side });
}

/** A slice that was fetched before its study was opened. */
export interface Prefetched {
  at: SliceRef;
  /** The revision of the result by which it was chosen. */
  revision: number | undefined;
  /** Nothing where it could not be read. */
  pixels: Promise<Pixels | null>;
  /** They, as soon as they are here. */
  here?: Pixels;
}

/** At most so many key slices are kept beforehand. */
const KEPT = 8;
const prefetched = new Map<string, Prefetched>();

/**
 * Fetches the key slice of a study that is likely to be opened next. The view is left until it is opened: the node
 * writes down who looked at a study.
 */
export function prefetchStudy(uid: string, keySlice?: SliceRef | null, revision?: number | null): void {
  if (!keySlice) return;
  const before = prefetched.get(uid);
  if (before && before.revision === (revision ?? undefined)) return;
  const url = sliceAddress(uid, keySlice, revision ?? undefined);
  prefetched.delete(uid);
  const coming: Prefetched = {
    at: keySlice,
    revision: revision ?? undefined,
    pixels: pixels(url).then(
      (found) => (coming.here = found),
      () => {
        prefetched.delete(uid);
        return null;
      },
    ),
  };
  prefetched.set(uid, coming);
  for (const oldest of prefetched.keys()) {
    if (prefetched.size <= KEPT) break;
    prefetched.delete(oldest);
  }
}

/** The key slice that was fetched beforehand, if it is the one of this revision. */
export function takePrefetched(uid: string, revision?: number): Prefetched | undefined {
  const found = prefetched.get(uid);
  return revision === undefined || found?.revision === revision ? found : undefined;
}

export function readView(uid: string, revision?: number, signal?: AbortSignal): Promise<StudyView> {
  return read("/api/v1/studies/{uid}/view", { path: { uid }, query: { revision }, signal });
}

export function readStudy(uid: string, signal?: AbortSignal): Promise<Study> {
  return read("/api/v1/studies/{uid}", { path: { uid }, signal });
}

export function readDeliveries(uid: string, signal?: AbortSignal) {
  return read("/api/v1/studies/{uid}/deliveries", { path: { uid }, signal });
}

export function readMaps(uid: string, revision: number, signal?: AbortSignal): Promise<Maps> {
  return read("/api/v1/studies/{uid}/maps", { path: { uid }, query: { revision }, signal });
}

export function sendFeedback(
  uid: string,
  revision: number,
  label: Label,
  agrees: boolean,
  note = "",
) {
  const body = { revision, label, agrees, note };
  return change("/api/v1/studies/{uid}/feedback", body, { path: { uid } });
}

export function sendNote(uid: string, revision: number, note: string) {
  return change("/api/v1/studies/{uid}/notes", { revision, note }, { path: { uid } });
}
