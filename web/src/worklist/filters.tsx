// The filters of the worklist. They stand in the address, so that a link or a reload keeps them.

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { hasSound, setSound } from "../shell/news";
import type { Filters } from "./list";

const CLASSES = ["positive", "not sure", "negative", "not scored"];
const STATES = [
  "receiving", "queued", "scoring", "failed", "not scored", "scored", "delivering", "delivery failed", "delivered",
];

/** So long after the last letter a search begins, ms. */
const TYPING = 250;

/** The bar of filters. */
export function FilterBar(props: {
  filters: Filters;
  sources: string[];
  search: RefObject<HTMLInputElement | null>;
  first: RefObject<HTMLSelectElement | null>;
  onChange: (filters: Filters) => void;
  onLeave: () => void;
}) {
  const { filters } = props;
  const [text, setText] = useState(filters.text);
  const [sound, hear] = useState(hasSound);
  const latest = useRef(filters);
  latest.current = filters;
  /** Changes some of the filters; what was typed a moment ago is not lost. */
  const narrow = (some: Partial<Filters>) => props.onChange({ ...latest.current, text, ...some });
  useEffect(() => setText(filters.text), [filters.text]);
  useEffect(() => {
    if (text === latest.current.text) return;
    const timer = setTimeout(() => narrow({}), TYPING);
    return () => clearTimeout(timer);
  }, [text]);
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" && event.key !== "Enter") return;
    event.preventDefault();
    if (event.key === "Enter" && text !== filters.text) narrow({});
    props.onLeave();
  };
  const narrowed = filters.class || filters.state || filters.text || filters.source || filters.unread;
  const sources = [...new Set([...props.sources, filters.source])].filter(Boolean).sort();
  return (
    <search class="filters" aria-label="Filters of the worklist">
      <label>
        Search
        <input
          ref={props.search}
          type="search"
          placeholder="patient, accession, study"
          value={text}
          maxLength={200}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={leave}
        />
      </label>
      <label>
        Class
        <select
          ref={props.first}
          value={filters.class}
          onChange={(event) => narrow({ class: event.currentTarget.value })}
        >
          <Options of={CLASSES} />
        </select>
      </label>
      <label>
        State
        <select value={filters.state} onChange={(event) => narrow({ state: event.currentTarget.value })}>
          <Options of={STATES} />
        </select>
      </label>
      <label>
        Source
        <select value={filters.source} onChange={(event) => narrow({ source: event.currentTarget.value })}>
          <Options of={sources} />
        </select>
      </label>
      <label class="tick">
        <input
          type="checkbox"
          checked={filters.unread}
          onChange={(event) => narrow({ unread: event.currentTarget.checked })}
        />
        Unread only
      </label>
      <label class="tick wide">
        <input
          type="checkbox"
          checked={sound}
          onChange={(event) => { setSound(event.currentTarget.checked); hear(event.currentTarget.checked); }}
        />
        Sound for new positives
      </label>
      {narrowed && (
        <button
          type="button"
          onClick={() => {
            setText("");
            narrow({ class: "", state: "", text: "", source: "", unread: false });
          }}
        >
          Clear filters
        </button>
      )}
    </search>
  );
}

function Options(props: { of: string[] }) {
  return (
    <>
      <option value="">all</option>
      {props.of.map((one) => <option key={one} value={one}>{one}</option>)}
    </>
  );
}
