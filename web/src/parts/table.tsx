// Tables, and facts beside their names.

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** A column: its head, and whether it holds numbers. */
export type Column = string | { head: string; number: true };

/** A table with a name; wide ones scroll in their own place. */
export function Table(props: { name: string; columns: Column[]; children: ComponentChildren }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    // A table that is wider than its place is scrolled by keys, and only then is a stop of the Tab key.
    const observer = new ResizeObserver(() => {
      if (element.scrollWidth > element.clientWidth) element.tabIndex = 0;
      else element.removeAttribute("tabindex");
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return (
    <div class="scroll" ref={place} role="group" aria-label={props.name}>
      <table>
        <thead>
          <tr>
            {props.columns.map((column) => {
              const [head, number] = typeof column === "string" ? [column, false] : [column.head, true];
              return <th key={head} scope="col" class={number ? "number" : ""}>{head}</th>;
            })}
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}

/** Facts with their names; what is undefined is left out. */
export function Facts(props: { of: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {props.of.map(([name, value]) => value !== undefined && (
        <div key={name}><dt>{name}</dt><dd>{value}</dd></div>
      ))}
    </dl>
  );
}
