// The keys of the screen, and binding others to them.

import { useState } from "preact/hooks";
import { type Screen, bind, keysFor, printed } from "../keys";
import { Dialog } from "./dialog";

/** Shows the keys of a screen. */
export function Help(props: { screen: Screen; onClose: () => void }) {
  const [waiting, setWaiting] = useState<string>();
  const [, again] = useState(0);
  const press = (event: KeyboardEvent, screen: Screen, name: string) => {
    if (waiting !== `${screen}.${name}` || event.key === "Tab" || event.key === "Shift") return;
    event.preventDefault();
    event.stopPropagation();
    if (event.key !== "Escape") bind(screen, name, event.key);
    setWaiting(undefined);
  };
  const rows = (screen: Screen) => keysFor(screen).map(({ name, what, keys }) => {
    const id = `${screen}.${name}`;
    return (
      <tr key={id}>
        <td>{keys.map((key) => <kbd key={key}>{printed(key)}</kbd>)}</td>
        <td>{what}</td>
        <td>
          <button
            type="button"
            class="plain"
            aria-label={`Change the key for: ${what}`}
            onClick={() => setWaiting(id)}
            onKeyDown={(event) => press(event, screen, name)}
          >
            {waiting === id ? "Press a key…" : "Change"}
          </button>
        </td>
      </tr>
    );
  });
  const reset = () => {
    for (const screen of [props.screen, "everywhere"] as const) {
      for (const { name } of keysFor(screen)) bind(screen, name);
    }
    again((count) => count + 1);
  };
  return (
    <Dialog title="Keys" onClose={props.onClose} wide>
      <table>
        <thead><tr><th scope="col">Key</th><th scope="col">What it does</th><th scope="col">Binding</th></tr></thead>
        <tbody>{rows(props.screen)}{rows("everywhere")}</tbody>
      </table>
      <p class="quiet">Keys do nothing while you type in a field. Changes are kept in this browser.</p>
      <div class="actions">
        <button type="button" onClick={reset}>Keys as delivered</button>
        <button type="button" class="main" onClick={props.onClose}>Close</button>
      </div>
    </Dialog>
  );
}
