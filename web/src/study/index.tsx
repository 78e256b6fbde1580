// The screen of one study.

/** A study. */
export function StudyScreen(props: { uid: string; revision?: number }) {
  return <h1>Study {props.uid}</h1>;
}

/** Loads what the screen of a study shows first, before it is opened. */
export function prefetchStudy(_uid: string, _keySlice?: { series: number; slice: number }): void {}
