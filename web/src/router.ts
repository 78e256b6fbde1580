// Addresses: which screen is shown, kept in the history of the browser.

import { useEffect, useState } from "preact/hooks";

const listeners = new Set<() => void>();

addEventListener("popstate", () => {
  for (const tell of listeners) tell();
});

/** The worklist with the filters that it was left with. */
let list = "/";

/** Goes to an address of these pages. From a study the way to the worklist leads to where the reader was. */
export function go(wanted: string, how: "push" | "replace" = "push"): void {
  if (location.pathname === "/") list = location.pathname + location.search;
  const to = wanted === "/" && location.pathname.startsWith("/study/") ? list : wanted;
  if (to === location.pathname + location.search + location.hash) return;
  if (how === "push") history.pushState(null, "", to);
  else history.replaceState(null, "", to);
  for (const tell of listeners) tell();
}

/** Path and query, read again whenever they change. */
export function useAddress(): { path: string; query: URLSearchParams } {
  const [address, set] = useState(() => location.pathname + location.search);
  useEffect(() => {
    const tell = () => set(location.pathname + location.search);
    listeners.add(tell);
    tell();
    return () => void listeners.delete(tell);
  }, []);
  const [path, query] = address.split(/\?(.*)/s);
  return { path: path ?? "/", query: new URLSearchParams(query ?? "") };
}

/** Follows links within these pages without loading them anew. */
export function followLinks(): void {
  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (event.defaultPrevented || !plain || !link || link.target !== "" || link.hasAttribute("download")) return;
    const to = new URL(link.href);
    if (to.origin !== location.origin || !SCREENS.test(to.pathname)) return;
    // A place on the page that is shown: the browser goes there, with the focus.
    if (to.hash !== "" && to.pathname + to.search === location.pathname + location.search) return;
    event.preventDefault();
    go(to.pathname + to.search);
  });
}

/** What these pages show; other addresses are files and documents of the node. */
const SCREENS = /^\/($|study\/|quality$|system$|audit$|users$|login$)/;

/** The address of a study's screen. */
export function studyAddress(uid: string): string {
  return `/study/${encodeURIComponent(uid)}`;
}

/** Where a login goes on: an address of these pages, never one elsewhere. */
export function safeReturn(wanted: string | null): string {
  if (!wanted) return "/";
  const to = new URL(wanted, location.origin);
  const ours = to.origin === location.origin && SCREENS.test(to.pathname) && to.pathname !== "/login";
  return ours ? to.pathname + to.search : "/";
}
