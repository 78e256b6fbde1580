// Users of the node and tokens of programs.

import { useLoaded, read } from "../api";
import { Shown } from "../parts/states";
import { useSession } from "../shell/session";
import { Tokens } from "./tokens";
import { Users } from "./users";

/** The screen. */
export function UsersScreen() {
  const session = useSession();
  const users = useLoaded((signal) => read("/api/v1/users", { signal }), []);
  const tokens = useLoaded((signal) => read("/api/v1/tokens", { signal }), []);
  return (
    <>
      <div class="heading"><h1>Users and tokens</h1></div>
      {!session.login && (
        <p class="notice">
          This node asks for no login: everybody at its machine is an administrator. Users count when
          {" "}<code>[http] login = true</code> is configured.
        </p>
      )}
      <Shown what="the users" of={users}>{(data) => <Users of={data} again={users.again} />}</Shown>
      <Shown what="the tokens" of={tokens}>{(data) => <Tokens of={data} again={tokens.again} />}</Shown>
    </>
  );
}
