// What a screen shows while there is nothing to show: loading, empty, failed.

import type { ComponentChildren } from "preact";
import { type Loaded, Refusal, wordsOf } from "../api";

/** Grey bars in the place of what is being loaded. */
export function Loading(props: { what: string; rows?: number }) {
  return (
    <div class="skeleton" role="status" aria-label={`Loading ${props.what}`}>
      {Array.from({ length: props.rows ?? 6 }, (_, row) => <div key={row} />)}
    </div>
  );
}

/** Why something is not there, with a way to try again. */
export function Failure(props: { what: string; error: unknown; again: () => void }) {
  const forbidden = props.error instanceof Refusal && props.error.status === 403;
  return (
    <div class="failure" role="alert">
      <p><strong>{forbidden ? `You may not see ${props.what}.` : `Could not load ${props.what}.`}</strong></p>
      <p>{wordsOf(props.error)}</p>
      {!forbidden && <button type="button" onClick={props.again}>Try again</button>}
    </div>
  );
}

/** That there is nothing, and what would change that. */
export function Empty(props: { children: ComponentChildren }) {
  return <div class="empty">{props.children}</div>;
}

/** A document in one of its states. */
export function Shown<T>(props: { what: string; of: Loaded<T>; children: (data: T) => ComponentChildren }) {
  const { data, error, again } = props.of;
  return (
    <>
      {error !== undefined && <Failure what={props.what} error={error} again={again} />}
      {data !== undefined ? props.children(data) : error === undefined && <Loading what={props.what} />}
    </>
  );
}
