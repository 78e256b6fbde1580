// Notes, and disagreeing with a label in one small dialog.

import { useEffect, useRef, useState } from "preact/hooks";
import { wordsOf } from "../api";
import { Dialog } from "../shell/dialog";
import { label } from "../words";
import type { Finding, Label } from "./types";

/** Characters that a note may have. */
const LONGEST = 2000;

/** Asks for the label and a note; Enter sends. */
export function Disagree(props: {
  findings: Finding[];
  name: Label;
  onSend: (name: Label, note: string) => Promise<void>;
  onClose: () => void;
}) {
  const [name, setName] = useState(props.name);
  const [note, setNote] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLTextAreaElement>(null);
  useEffect(() => first.current?.focus(), []);
  const said = props.findings.find((one) => one.label === name);
  const send = async () => {
    if (busy) return;
    setBusy(true);
    setError("");
    try {
      await props.onSend(name, note.trim());
      props.onClose();
    } catch (problem) {
      setError(wordsOf(problem));
      setBusy(false);
    }
  };
  return (
    <Dialog title="Disagree" onClose={props.onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label class="field">
          Label
          <select value={name} onChange={(event) => setName(event.currentTarget.value as Label)}>
            {props.findings.map((one) => (
              <option key={one.label} value={one.label}>
                {label(one.label)}
              </option>
            ))}
          </select>
        </label>
        <p>{said ? `The result says: ${label(name)} ${said.verdict}.` : ""}</p>
        <label class="field">
          Note (may be empty)
          <textarea
            ref={first}
            rows={3}
            maxLength={LONGEST}
            value={note}
            onInput={(event) => setNote(event.currentTarget.value)}
            onKeyDown={(event) => sendsOnEnter(event, send)}
          />
        </label>
        {error && (
          <p class="error" role="alert">
            {error}
          </p>
        )}
        <div class="actions">
          <button type="button" onClick={props.onClose}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={busy}>
            Disagree
          </button>
        </div>
      </form>
    </Dialog>
  );
}

/** Enter sends; with Shift it begins a line. */
function sendsOnEnter(event: KeyboardEvent, send: () => Promise<void>): void {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void send();
}

/** A field for a note on the study. */
export function NoteForm(props: { onSend: (note: string) => Promise<void> }) {
  const [note, setNote] = useState("");
  const [error, setError] = useState("");
  const [busy, setBusy] = useState(false);
  const send = async () => {
    const words = note.trim();
    if (busy || words === "") return;
    setBusy(true);
    setError("");
    try {
      await props.onSend(words);
      setNote("");
    } catch (problem) {
      setError(wordsOf(problem));
    } finally {
      setBusy(false);
    }
  };
  return (
    <form
      class="note-form"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <label class="field">
        Note
        <textarea
          rows={2}
          maxLength={LONGEST}
          value={note}
          onInput={(event) => setNote(event.currentTarget.value)}
        />
      </label>
      {error && (
        <p class="error" role="alert">
          {error}
        </p>
      )}
      <button type="submit" disabled={busy || note.trim() === ""}>
        Add the note
      </button>
    </form>
  );
}
