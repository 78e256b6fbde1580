// Changing one's own password.

import { useState } from "preact/hooks";
import { change } from "../api";
import { Field, Form } from "../parts/form";
import { Dialog } from "./dialog";
import { toast } from "./toasts";

/** Asks for the old password and a new one. */
export function PasswordDialog(props: { onClose: () => void }) {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const send = async () => {
    await change("/api/v1/password", { old, new: fresh });
    toast("Your password is changed. Your other sessions have ended.");
    props.onClose();
  };
  return (
    <Dialog title="Change your password" onClose={props.onClose}>
      <Form action="Change" onSend={send} onCancel={props.onClose}>
        <Field label="Password until now" secret autocomplete="current-password" value={old} onInput={setOld} />
        <Field
          label="New password"
          hint="At least 12 characters."
          secret
          autocomplete="new-password"
          minLength={12}
          value={fresh}
          onInput={setFresh}
        />
      </Form>
    </Dialog>
  );
}
