// The start: who is logged in, and which screen the address names.

import "./base.css";
import { type ComponentChildren, render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Documents, Refusal, connect, disconnect, onSessionEnd, onStreamRefused, read, sleep, wordsOf } from "./api";
import { AuditScreen } from "./audit";
import type { Screen } from "./keys";
import { LoginAgain, LoginScreen } from "./login";
import { QualityScreen } from "./quality";
import { followLinks, go, safeReturn, useAddress } from "./router";
import { SessionContext, atLeast } from "./shell/session";
import { NotForYou, Notice, Shell } from "./shell/shell";
import { applyTheme } from "./shell/theme";
import { StudyScreen } from "./study";
import { SystemScreen } from "./system";
import { UsersScreen } from "./users";
import { WorklistScreen } from "./worklist";

type Session = Documents["Session"];

function App() {
  const [session, setSession] = useState<Session | "nobody">();
  const [trouble, setTrouble] = useState<string>();
  const { path, query } = useAddress();
  useEffect(() => {
    const controller = new AbortController();
    void begin(controller.signal);
    return () => controller.abort();
  }, []);

  async function begin(signal: AbortSignal): Promise<void> {
    for (;;) {
      try {
        return entered(await read("/api/v1/session", { signal }));
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Refusal && error.status === 401) return setSession("nobody");
        setTrouble(wordsOf(error));
        await sleep(2_000);
      }
    }
  }

  function entered(now: Session): void {
    setTrouble(undefined);
    setSession(now);
    connect();
    if (location.pathname === "/login") go(safeReturn(new URLSearchParams(location.search).get("return")), "replace");
  }

  function left(): void {
    disconnect();
    // Anew, so that nothing of what was shown stays in the page for whoever is next at the machine.
    location.replace("/login");
  }

  useEffect(() => {
    if (session !== "nobody" || path === "/login") return;
    const back = path === "/" && query.size === 0 ? "/login" : `/login?return=${encodeURIComponent(location.pathname + location.search)}`;
    go(back, "replace");
  }, [session, path]);

  if (session === undefined) {
    return (
      <div class="login">
        <header class="top"><Notice /></header>
        <main id="main"><h1>Hemora</h1><p role="status">{trouble ? `${trouble} This page tries again.` : "Loading…"}</p></main>
      </div>
    );
  }
  if (session === "nobody") return <LoginScreen onSession={entered} />;
  return (
    <SessionContext.Provider value={session}>
      <Place path={path} query={query} onLogout={left} />
      <Again session={session} onSession={setSession} onLeft={left} />
    </SessionContext.Provider>
  );
}

/** Asks for a new login when the session ends in the middle. All requests that wait for it wait for one dialog. */
function Again(props: { session: Session; onSession: (session: Session) => void; onLeft: () => void }) {
  const [asking, setAsking] = useState(false);
  const waiting = useRef<{ promise: Promise<boolean>; resolve: (again: boolean) => void } | undefined>(undefined);
  useEffect(() => {
    const ask = () => {
      if (!waiting.current) {
        let resolve: (again: boolean) => void = () => undefined;
        const promise = new Promise<boolean>((done) => (resolve = done));
        waiting.current = { promise, resolve };
        setAsking(true);
      }
      return waiting.current.promise;
    };
    onSessionEnd(ask);
    return onStreamRefused(() => void ask());
  }, []);
  const answer = (again: boolean) => {
    waiting.current?.resolve(again);
    waiting.current = undefined;
    setAsking(false);
  };
  if (!asking) return null;
  const entered = (now: Session) => {
    // What waits was begun by one person and must not be done in the name of another.
    const same = now.name === props.session.name;
    answer(same);
    if (!same) return location.reload();
    props.onSession(now);
    connect();
  };
  const leave = () => {
    answer(false);
    props.onLeft();
  };
  return <LoginAgain name={props.session.name} onSession={entered} onCancel={leave} />;
}

/** The screen that an address names. */
function Place(props: { path: string; query: URLSearchParams; onLogout: () => void }) {
  const shell = (screen: Screen, title: string, content: ComponentChildren) => (
    <Shell screen={screen} title={title} onLogout={props.onLogout}>{content}</Shell>
  );
  const study = /^\/study\/([^/]+)$/.exec(props.path)?.[1];
  if (study !== undefined) {
    const uid = decoded(study);
    const revision = Number(props.query.get("revision"));
    const of = Number.isInteger(revision) && revision > 0 ? { revision } : {};
    return shell("study", "Study", <StudyScreen key={uid} uid={uid} {...of} />);
  }
  switch (props.path) {
    case "/":
      return shell("worklist", "Worklist", <WorklistScreen />);
    case "/quality":
      return shell("quality", "Quality", <QualityScreen />);
    case "/system":
      return shell("system", "System", <For from="imaging-team"><SystemScreen /></For>);
    case "/audit":
      return shell("audit", "Audit", <For from="administrator"><AuditScreen /></For>);
    case "/users":
      return shell("users", "Users", <For from="administrator"><UsersScreen /></For>);
    default:
      return shell("worklist", "Not found", (
        <div class="failure">
          <h1>There is no such page</h1>
          <p>{props.path} leads nowhere. <a href="/">To the worklist</a></p>
        </div>
      ));
  }
}

/** A screen for a role and higher ones. */
function For(props: { from: Documents["Role"]; children: ComponentChildren }) {
  return (
    <SessionContext.Consumer>
      {(session) => (session && atLeast(session.role, props.from) ? props.children : <NotForYou from={props.from} />)}
    </SessionContext.Consumer>
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

applyTheme();
followLinks();
render(<App />, document.body);
