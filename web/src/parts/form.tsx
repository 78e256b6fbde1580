// Forms: fields with their labels, errors in the node's words, and waiting where it asks for that.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Refusal, isAbort, wordsOf } from "../api";
import { duration } from "../words";

/** A field of one line. */
export function Field(props: {
  label: string;
  value: string;
  onInput: (value: string) => void;
  secret?: boolean;
  autocomplete?: string;
  hint?: string;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  optional?: boolean;
  focus?: boolean;
}) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (props.focus) input.current?.focus();
  }, []);
  const shared = {
    ref: input,
    id,
    value: props.value,
    required: !props.optional,
    // A dialog gives the focus to the field that has this; elsewhere the effect above does.
    autofocus: props.focus,
    autocomplete: props.autocomplete ?? "off",
    minLength: props.minLength,
    maxLength: props.maxLength ?? 256,
    pattern: props.pattern,
    "aria-describedby": props.hint ? `${id}-hint` : undefined,
    onInput: (event: { currentTarget: HTMLInputElement }) => props.onInput(event.currentTarget.value),
  };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.secret ? <input type="password" {...shared} /> : <input type="text" {...shared} />}
      {props.hint && <small id={`${id}-hint`}>{props.hint}</small>}
    </div>
  );
}

/** A choice of several. */
export function Choice<T extends string>(props: {
  label: string;
  value: T;
  options: readonly (readonly [T, string])[];
  onChange: (value: T) => void;
}) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value as T)}>
        {props.options.map(([value, words]) => <option key={value} value={value}>{words}</option>)}
      </select>
    </div>
  );
}

/** A form that sends once, shows why it was refused, and counts down where the node asks to wait. */
export function Form(props: {
  action: string;
  onSend: () => Promise<void>;
  onCancel?: () => void;
  children: ComponentChildren;
}) {
  const [error, setError] = useState<string>();
  const [sending, setSending] = useState(false);
  const [wait, setWait] = useState(0);
  useEffect(() => {
    if (wait <= 0) return;
    const timer = setTimeout(() => setWait(wait - 1), 1_000);
    return () => clearTimeout(timer);
  }, [wait]);
  const send = async (event: Event) => {
    event.preventDefault();
    if (sending || wait > 0) return;
    setSending(true);
    setError(undefined);
    try {
      await props.onSend();
    } catch (refused) {
      if (!isAbort(refused)) setError(wordsOf(refused));
      if (refused instanceof Refusal && refused.retryAfter) setWait(Math.ceil(refused.retryAfter));
    } finally {
      setSending(false);
    }
  };
  const busy = sending ? "Sending…" : wait > 0 ? `Wait ${duration(wait)}` : props.action;
  return (
    <form onSubmit={(event) => void send(event)}>
      {props.children}
      {error && <p class="error" role="alert">{error}</p>}
      <div class="actions">
        {props.onCancel && <button type="button" onClick={props.onCancel}>Cancel</button>}
        <button type="submit" class="main" disabled={sending || wait > 0}>{busy}</button>
      </div>
    </form>
  );
}
