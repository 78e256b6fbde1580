// Tables, and facts beside their names.

import type { ComponentChildren } from "preact";

/** A column: its head, and whether it holds numbers. */
export type Column = string | { head: string; number: true };

/** A table with a name; wide ones scroll in their own place. */
export function Table(props: { name: string; columns: Column[]; children: ComponentChildren }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={props.name}>
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
