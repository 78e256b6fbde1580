// The login, the first administrator, and logging in again in the middle.

import { useState } from "preact/hooks";
import { type Documents, change } from "../api";
import { Field, Form } from "../parts/form";
import { Dialog } from "../shell/dialog";
import { Notice } from "../shell/shell";
import { ThemeChoice } from "../shell/theme";

type Session = Documents["Session"];

/** Letters that a name may have, as the node has it. */
const NAME = "[A-Za-z0-9._@\\-]{1,64}";

/** What stands behind `#setup=` in the link that the node printed. */
function setupSecret(): string | undefined {
  return /^#setup=([\w-]+)$/.exec(location.hash)?.[1];
}

/** The screen before everything else. */
export function LoginScreen(props: { onSession: (session: Session) => void }) {
  const [setup] = useState(setupSecret);
  return (
    <div class="login">
      <header class="top"><Notice /></header>
      <main id="main">
        <h1>Hemora</h1>
        {setup ? <Setup setup={setup} onSession={props.onSession} /> : <Login onSession={props.onSession} />}
        <ThemeChoice />
      </main>
    </div>
  );
}

function Login(props: { onSession: (session: Session) => void; name?: string; onCancel?: () => void }) {
  const [name, setName] = useState(props.name ?? "");
  const [password, setPassword] = useState("");
  const send = async () => {
    try {
      props.onSession(await change("/api/v1/login", { name, password }));
    } finally {
      setPassword("");
    }
  };
  return (
    <Form action="Log in" onSend={send} {...(props.onCancel ? { onCancel: props.onCancel } : {})}>
      <Field label="Name" value={name} onInput={setName} autocomplete="username" focus={!props.name} />
      <Field
        label="Password"
        secret
        value={password}
        onInput={setPassword}
        autocomplete="current-password"
        focus={props.name !== undefined}
      />
    </Form>
  );
}

function Setup(props: { setup: string; onSession: (session: Session) => void }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const send = async () => {
    const session = await change("/api/v1/setup", { setup: props.setup, name, password });
    // The link has been used: it shall not stay in the history.
    history.replaceState(null, "", location.pathname + location.search);
    props.onSession(session);
  };
  return (
    <>
      <p>This node has no users yet. Make the first administrator; they make all others.</p>
      <Form action="Make the administrator" onSend={send}>
        <Field
          label="Name"
          hint="1 to 64 letters, digits and . - _ @"
          value={name}
          onInput={setName}
          pattern={NAME}
          autocomplete="username"
          focus
        />
        <Field
          label="Password"
          hint="At least 12 characters."
          secret
          minLength={12}
          value={password}
          onInput={setPassword}
          autocomplete="new-password"
        />
      </Form>
    </>
  );
}

/** Asks for a new login over the page, so that nothing that was written on it is lost. */
export function LoginAgain(props: { name: string; onSession: (session: Session) => void; onCancel: () => void }) {
  return (
    <Dialog title="Your session has ended" onClose={props.onCancel}>
      <p>Log in again to go on. What you have written stays.</p>
      <Login name={props.name} onSession={props.onSession} onCancel={props.onCancel} />
    </Dialog>
  );
}
