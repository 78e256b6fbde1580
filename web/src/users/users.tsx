// Users: making them, their roles, new passwords, disabling.

import { useState } from "preact/hooks";
import { type Documents, change, wordsOf } from "../api";
import { Choice, Field, Form } from "../parts/form";
import { Table } from "../parts/table";
import { Dialog, confirm } from "../shell/dialog";
import { useSession } from "../shell/session";
import { toast } from "../shell/toasts";
import { ROLES, dateTime } from "../words";

type User = Documents["User"];
type Role = Documents["Role"];

/** Letters that the name of a user or token may have. */
export const NAME = "[A-Za-z0-9._@\\-]{1,64}";

const ROLE_OPTIONS = Object.entries(ROLES) as [Role, string][];

/** The table of users. */
export function Users(props: { of: User[]; again: () => void }) {
  const session = useSession();
  const [dialog, setDialog] = useState<"new" | User>();
  const alter = async (user: User, how: Partial<Documents["UserChange"]>, done: string) => {
    try {
      await change("/api/v1/users/{name}", how, { path: { name: user.name } });
      toast(done);
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
    props.again();
  };
  const setRole = async (user: User, role: Role) => {
    const text = `${user.name} becomes ${ROLES[role]}. Their sessions end: they have to log in again.`;
    const sure = await confirm({ title: "Change the role?", text, action: "Change the role" });
    if (sure) await alter(user, { role }, `${user.name} is now ${ROLES[role]}.`);
    else props.again();
  };
  const disable = async (user: User) => {
    const text = `${user.name} is logged out and may not log in any more. What they did stays in the audit.`;
    const sure = user.disabled || (await confirm({ title: "Disable the user?", text, action: "Disable" }));
    if (sure) await alter(user, { disabled: !user.disabled }, `${user.name} ${user.disabled ? "may log in again" : "is disabled"}.`);
  };
  const close = () => {
    setDialog(undefined);
    props.again();
  };
  return (
    <>
      <div class="heading">
        <h2>Users</h2>
        <button type="button" class="main right" onClick={() => setDialog("new")}>New user</button>
      </div>
      {props.of.length === 0 && <p class="quiet">There is no user yet.</p>}
      {props.of.length > 0 && <Table name="Users" columns={["Name", "Role", "State", "Made", "Last seen", "Changes"]}>
        {props.of.map((user) => (
          <tr key={user.name}>
            <th scope="row">{user.name}{user.name === session.name ? " (you)" : ""}</th>
            <td>
              <select
                aria-label={`Role of ${user.name}`}
                value={user.role}
                onChange={(event) => {
                  const role = event.currentTarget.value as Role;
                  // The list says what holds; until the node agrees, that is the old role.
                  event.currentTarget.value = user.role;
                  void setRole(user, role);
                }}
              >
                {ROLE_OPTIONS.map(([role, words]) => <option key={role} value={role}>{words}</option>)}
              </select>
            </td>
            <td>{user.disabled ? <strong class="problem">× disabled</strong> : "✓ may log in"}</td>
            <td>{dateTime(user.created_at)}</td>
            <td>{user.seen_at ? dateTime(user.seen_at) : "never"}</td>
            <td>
              <span class="buttons">
                <button type="button" class="small" aria-label={`New password for ${user.name}`} onClick={() => setDialog(user)}>
                  New password
                </button>
                <button
                  type="button"
                  class="small"
                  aria-label={`${user.disabled ? "Enable" : "Disable"} ${user.name}`}
                  onClick={() => void disable(user)}
                >
                  {user.disabled ? "Enable" : "Disable"}
                </button>
              </span>
            </td>
          </tr>
        ))}
      </Table>}
      {dialog === "new" && <NewUser onClose={close} />}
      {typeof dialog === "object" && <NewPassword of={dialog} onClose={close} />}
    </>
  );
}

function NewUser(props: { onClose: () => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("reader");
  const [password, setPassword] = useState("");
  const send = async () => {
    await change("/api/v1/users", { name, role, password });
    toast(`${name} may log in now.`);
    props.onClose();
  };
  return (
    <Dialog title="New user" onClose={props.onClose}>
      <Form action="Make the user" onSend={send} onCancel={props.onClose}>
        <Field label="Name" hint="1 to 64 letters, digits and . - _ @" value={name} onInput={setName} pattern={NAME} focus />
        <Choice label="Role" value={role} options={ROLE_OPTIONS} onChange={setRole} />
        <Password value={password} onInput={setPassword} />
      </Form>
    </Dialog>
  );
}

function NewPassword(props: { of: User; onClose: () => void }) {
  const { name } = props.of;
  const [password, setPassword] = useState("");
  const send = async () => {
    await change("/api/v1/users/{name}", { password }, { path: { name } });
    toast(`${name} has a new password; their sessions have ended.`);
    props.onClose();
  };
  return (
    <Dialog title={`New password for ${name}`} onClose={props.onClose}>
      <Form action="Set the password" onSend={send} onCancel={props.onClose}>
        <Password value={password} onInput={setPassword} />
      </Form>
    </Dialog>
  );
}

function Password(props: { value: string; onInput: (value: string) => void }) {
  return (
    <Field
      label="Password"
      hint="At least 12 characters. The user can change it after the login."
      secret
      autocomplete="new-password"
      minLength={12}
      value={props.value}
      onInput={props.onInput}
    />
  );
}
