// Tokens of programs: made, shown once, taken back.

import { useState } from "preact/hooks";
import { type Documents, change, wordsOf } from "../api";
import { copyText } from "../parts/copy";
import { Choice, Field, Form } from "../parts/form";
import { Table } from "../parts/table";
import { Dialog, confirm } from "../shell/dialog";
import { toast } from "../shell/toasts";
import { dateTime } from "../words";
import { NAME } from "./users";

type Token = Documents["Token"];
type Scope = Documents["Scope"];

const SCOPES: [Scope, string][] = [
  ["metrics", "metrics: figures for Prometheus, nothing else"],
  ["read", "read: the list, studies, results, images"],
  ["operate", "operate: also scores and sends again"],
];

/** The table of tokens. */
export function Tokens(props: { of: Token[]; again: () => void }) {
  const [making, setMaking] = useState(false);
  const revoke = async (token: Token) => {
    const text = `Programs that use the token ${token.name} are refused from now on.`;
    if (!(await confirm({ title: "Take the token back?", text, action: "Take it back" }))) return;
    try {
      await change("/api/v1/tokens/{id}/revoke", undefined, { path: { id: token.id } });
      toast(`The token ${token.name} is taken back.`);
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    props.again();
  };
  const close = () => {
    setMaking(false);
    props.again();
  };
  return (
    <>
      <div class="heading">
        <h2>Tokens of programs</h2>
        <button type="button" class="main right" onClick={() => setMaking(true)}>New token</button>
      </div>
      {props.of.length === 0 ? <p class="quiet">No program has a token.</p> : (
        <Table name="Tokens" columns={["Name", "May", "State", "Made", "Last used", "Changes"]}>
          {props.of.map((token) => (
            <tr key={token.id}>
              <th scope="row">{token.name}</th>
              <td>{token.scope}</td>
              <td>{token.revoked_at ? `× taken back ${dateTime(token.revoked_at)}` : "✓ valid"}</td>
              <td>{dateTime(token.created_at)}</td>
              <td>{token.used_at ? dateTime(token.used_at) : "never"}</td>
              <td>
                {!token.revoked_at && (
                  <button type="button" class="small" aria-label={`Take back ${token.name}`} onClick={() => void revoke(token)}>
                    Take back
                  </button>
                )}
              </td>
            </tr>
          ))}
        </Table>
      )}
      {making && <NewToken onClose={close} />}
    </>
  );
}

function NewToken(props: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Scope>("read");
  const [made, setMade] = useState<Documents["MadeToken"]>();
  const send = async () => setMade(await change("/api/v1/tokens", { name, scope }));
  if (made) return <Secret of={made} onClose={props.onClose} />;
  return (
    <Dialog title="New token" onClose={props.onClose}>
      <Form action="Make the token" onSend={send} onCancel={props.onClose}>
        <Field label="Name" hint="1 to 64 letters, digits and . - _ @" value={name} onInput={setName} pattern={NAME} focus />
        <Choice label="May" value={scope} options={SCOPES} onChange={setScope} />
      </Form>
    </Dialog>
  );
}

/** The token itself, which nobody can show again. */
function Secret(props: { of: Documents["MadeToken"]; onClose: () => void }) {
  const { secret, token } = props.of;
  const copy = async () => {
    if (await copyText(secret)) toast("Copied.");
    else toast("The browser does not let this page copy; select the text and copy it.", "problem");
  };
  return (
    <Dialog title={`The token ${token.name}`} onClose={props.onClose} stays>
      <p><strong>It is shown once.</strong> Keep it where programs find it and people do not.</p>
      <pre tabIndex={0} aria-label="Token">{secret}</pre>
      <p class="quiet">Programs send it as <code>Authorization: Bearer …</code></p>
      <div class="actions">
        <button type="button" onClick={() => void copy()}>Copy</button>
        <button type="button" class="main" onClick={props.onClose}>I have it</button>
      </div>
    </Dialog>
  );
}
