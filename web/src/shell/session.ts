// Who is logged in.

import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Documents } from "../api";

type Role = Documents["Role"];

const RANK: Record<Role, number> = { reader: 0, "imaging-team": 1, administrator: 2 };

/** The session of whoever looks at the page. */
export const SessionContext = createContext<Documents["Session"] | undefined>(undefined);

/** The session; only below the login. */
export function useSession(): Documents["Session"] {
  const session = useContext(SessionContext);
  if (!session) throw new Error("nobody is logged in here");
  return session;
}

/** Whether a role holds what another may do. */
export function atLeast(role: Role, least: Role): boolean {
  return RANK[role] >= RANK[least];
}
