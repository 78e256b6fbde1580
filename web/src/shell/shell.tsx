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

/** What belongs to whoever is logged in. */
function Menu(props: { name: string; children: ComponentChildren }) {
  const menu = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event) => {
      const within = event.target instanceof Node && menu.current?.contains(event.target);
      if (menu.current && !within) menu.current.open = false;
    };
    addEventListener("pointerdown", close);
    addEventListener("focusin", close);
    return () => {
      removeEventListener("pointerdown", close);
      removeEventListener("focusin", close);
    };
  }, []);
  const leave = (event: KeyboardEvent) => {
    if (event.key !== "Escape" || !menu.current?.open) return;
    event.preventDefault();
    menu.current.open = false;
    menu.current.querySelector("summary")?.focus();
  };
  return (
    <details class="menu" ref={menu} onKeyDown={leave}>
      <summary>{props.name}</summary>
      <div>{props.children}</div>
    </details>
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
      const header = top.current;
      const bar = header?.querySelector<HTMLElement>(".bar");
      if (!header || !bar) return;
      document.documentElement.style.setProperty("--above", `${bar.offsetHeight}px`);
      document.documentElement.style.setProperty("--top", `${header.offsetHeight + Math.min(0, stuckAt(header))}px`);
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
            <button type="button" onClick={() => setOpen("help")}>Keys <kbd>?</kbd></button>
            <Menu name={session.name}>
              <p class="quiet">Role: {ROLES[session.role]}</p>
              <ThemeChoice />
              {session.login && !session.by_proxy && (
                <>
                  <button type="button" onClick={() => setOpen("password")}>Change password</button>
                  <button type="button" onClick={() => void logout()}>Log out</button>
                </>
              )}
            </Menu>
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

/** Where a header sticks, px: on small screens above the edge, so that only the notice stays. */
function stuckAt(header: HTMLElement): number {
  return Number.parseFloat(getComputedStyle(header).top) || 0;
}
