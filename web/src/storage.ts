// What this browser remembers. Where it may not, the page works without.

/** What was kept under a name. */
export function kept(name: string): string | undefined {
  try {
    return localStorage.getItem(name) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Keeps a text under a name. */
export function keep(name: string, text: string): void {
  try {
    localStorage.setItem(name, text);
  } catch {
    // Storage is full or not allowed: the choice holds until the page is left.
  }
}
