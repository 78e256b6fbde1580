// What stands around every screen: navigation, the research-use notice, messages, help.

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Documents, change, useOffline, wordsOf } from "../api";
import { type Screen, useKeys } from "../keys";
import { useAddress } from "../router";
import { ROLES, clock } from "../words";
import { Help } from "./help";
import { News } from "./news";
import { PasswordDialog } from "./password";
import { atLeast, useSession } from "./session";
import { ThemeChoice } from "./theme";
import { Toasts, toast } from "./toasts";

interface Place {
  path: string;
  name: string;
  from: Documents["Role"];
}

/** The screens, with who may see them: as the routes behind them say. */
const PLACES: Place[] = [
  { path: "/", name: "Worklist", from: "reader" },
  { path: "/quality", name: "Quality", from: "reader" },
  { path: "/system", name: "System", from: "imaging-team" },
  { path: "/audit", name: "Audit", from: "administrator" },
  { path: "/users", name: "Users", from: "administrator" },
];

/** The notice that never scrolls away. */
export function Notice() {
  return (
    <p class="notice" role="note">
      <strong>For research use only.</strong> Not a medical device, not for diagnosis or treatment.
    </p>
  );
}

/** That the node is not reached, and since when. */
function Offline() {
  const since = useOffline();
  return (
    <div role="status" aria-live="polite">
      {since && (
        <p class="offline">
          <strong>Offline since {clock(since)}.</strong> The node does not answer; it may be restarting. What you see
          may be old. This page goes on by itself.
        </p>
      )}
    </div>
  );
}

/** Header, notice and messages around a screen. */
export function Shell(props: { screen: Screen; title: string; onLogout: () => void; children: ComponentChildren }) {
  const session = useSession();
  const { path } = useAddress();
  const [open, setOpen] = useState<"help" | "password">();
  useKeys("everywhere", { help: () => setOpen("help") });
  // A new screen begins at its top, and a screen reader at its heading.
  useEffect(() => scrollTo(0, 0), [path]);
  const top = useRef<HTMLElement>(null);
  // What sticks below the header needs to know its height, which changes with width and banners.
  useEffect(() => {
    if (!top.current) return;
    const measure = () => {
      document.documentElement.style.setProperty("--top", `${top.current?.offsetHeight ?? 0}px`);
    };
    const observer = new ResizeObserver(measure);
    observer.observe(top.current);
    return () => observer.disconnect();
  }, []);
  const logout = async () => {
    try {
      await change("/api/v1/logout", undefined);
      props.onLogout();
    } catch (error) {
      toast(wordsOf(error), "problem");
    }
  };
  return (
    <>
      <a class="skip" href="#main">Skip to the content</a>
      <header class="top" ref={top}>
        <div class="bar">
          <nav aria-label="Screens">
            <a class="name" href="/" aria-label="Hemora, to the worklist">Hemora</a>
            <ul>
              {PLACES.filter((place) => atLeast(session.role, place.from)).map((place) => (
                <li key={place.path}>
                  <a href={place.path} aria-current={place.path === path ? "page" : undefined}>{place.name}</a>
                </li>
              ))}
            </ul>
          </nav>
          <div class="who">
            <ThemeChoice />
            <button type="button" onClick={() => setOpen("help")}>Keys <kbd>?</kbd></button>
            <span class="user" title={`Role: ${ROLES[session.role]}`}>{session.name}</span>
            {session.login && !session.by_proxy && (
              <>
                <button type="button" onClick={() => setOpen("password")}>Password</button>
                <button type="button" onClick={() => void logout()}>Log out</button>
              </>
            )}
          </div>
        </div>
        <Notice />
        <Offline />
      </header>
      <main id="main" tabIndex={-1} data-screen={props.screen}>{props.children}</main>
      <Toasts />
      <News title={props.title} />
      {open === "help" && <Help screen={props.screen} onClose={() => setOpen(undefined)} />}
      {open === "password" && <PasswordDialog onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** That a screen is not for this role. */
export function NotForYou(props: { from: Documents["Role"] }) {
  const session = useSession();
  return (
    <div class="failure" role="alert">
      <h1>This screen is not for you</h1>
      <p>
        It is for the role {ROLES[props.from]}{props.from === "administrator" ? "" : " and higher ones"}; you are
        logged in as {session.name} ({ROLES[session.role]}). An administrator can change that.
      </p>
      <p><a href="/">To the worklist</a></p>
    </div>
  );
}
