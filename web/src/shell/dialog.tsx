// Dialogs: the browser's own, which keep the focus within and give it back afterwards.

import { type ComponentChildren, render } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";

/** A dialog that is open as long as it is rendered. */
export function Dialog(props: {
  title: string;
  onClose: () => void;
  children: ComponentChildren;
  /** Whether Escape leaves it open. */
  stays?: boolean;
  wide?: boolean;
}) {
  const element = useRef<HTMLDialogElement>(null);
  const heading = useId();
  useEffect(() => {
    const before = document.activeElement;
    const dialog = element.current;
    if (dialog && !dialog.open) dialog.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  const cancel = (event: Event) => {
    event.preventDefault();
    if (!props.stays) props.onClose();
  };
  return (
    <dialog ref={element} aria-labelledby={heading} class={props.wide ? "wide" : ""} onCancel={cancel}>
      <h2 id={heading}>{props.title}</h2>
      {props.children}
    </dialog>
  );
}

/** Asks before something is done that is not easily undone. */
export function confirm(asked: { title: string; text: string; action: string }): Promise<boolean> {
  const place = document.body.appendChild(document.createElement("div"));
  return new Promise((resolve) => {
    const answer = (yes: boolean) => {
      render(null, place);
      place.remove();
      resolve(yes);
    };
    render(
      <Dialog title={asked.title} onClose={() => answer(false)}>
        <p>{asked.text}</p>
        <div class="actions">
          <button type="button" onClick={() => answer(false)}>Cancel</button>
          <button type="button" class="main" onClick={() => answer(true)}>{asked.action}</button>
        </div>
      </Dialog>,
      place,
    );
  });
}
