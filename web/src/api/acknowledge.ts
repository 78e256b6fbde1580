// Who has seen a result.

import { change } from "./client";

/** Says for the reader that a result was seen. */
export function acknowledge(uid: string, revision: number) {
  return change("/api/v1/studies/{uid}/acknowledge", { revision }, { path: { uid } });
}

/** Takes that back. */
export function unacknowledge(uid: string, revision: number) {
  return change("/api/v1/studies/{uid}/unacknowledge", { revision }, { path: { uid } });
}
