// What components read of the viewer.

import { useEffect, useReducer } from "preact/hooks";
import type { Viewer, ViewerState } from "./viewer";

/** What the reader set, read again when it changes; not for each slice. */
export function useViewer(viewer: Viewer): ViewerState {
  const [, again] = useReducer<number, void>((count) => count + 1, 0);
  useEffect(() => viewer.onChange(() => again()), [viewer]);
  return viewer.state;
}
