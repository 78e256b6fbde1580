// Requests to the node: typed by its OpenAPI document, with the node's own words where it refuses.

import type { components, paths } from "./schema";

/** The documents of the API. */
export type Documents = components["schemas"];

type Json<T> = T extends { responses: { 200: { content: { "application/json": infer D } } } } ? D : never;
type Body<T> = T extends { requestBody: { content: { "application/json": infer D } } } ? D : undefined;
type Placed<T> = T extends { parameters: { path: infer P } } ? { [K in keyof P]: string | number } : undefined;

type ReadPath = { [P in keyof paths]: paths[P] extends { get: infer G } ? ([Json<G>] extends [never] ? never : P) : never }[keyof paths];
type ChangePath = { [P in keyof paths]: paths[P] extends { post: object } ? P : never }[keyof paths];
type Of<P extends keyof paths, M extends "get" | "post"> = paths[P] extends Record<M, infer T> ? T : never;

/** Values of a query; what is undefined or empty is left out. */
export type Query = Record<string, string | number | undefined>;

/** How a request is made. */
export interface Options<P> {
  /** What stands for the parts in braces of the path. */
  path?: P;
  query?: Query;
  signal?: AbortSignal;
}

/** Why the node refused, or why it was not reached (status 0). */
export class Refusal extends Error {
  constructor(
    message: string,
    /** HTTP status; 0 where no answer came. */
    readonly status: number,
    /** After so many seconds it is worth trying again. */
    readonly retryAfter?: number,
  ) {
    super(message);
  }
}

/** Without a hand at the page for so long it asks for itself, which keeps no session from ending, ms. */
const HANDS_OFF = 60_000;

let touched = Date.now();
for (const kind of ["keydown", "pointerdown", "pointermove", "wheel"]) {
  addEventListener(kind, () => { touched = Date.now(); }, { capture: true, passive: true });
}

/** Waits between tries of a GET that got no answer, ms. */
const PAUSES = [300, 1_000];

/** Whoever asks for a new login; resolves to whether the same user has logged in again. */
let loginAgain: () => Promise<boolean> = async () => false;

/** Says what is done when a session has ended. */
export function onSessionEnd(ask: () => Promise<boolean>): void {
  loginAgain = ask;
}

/** The address of a route, with its parts and query filled in. */
export function address(route: string, path: Record<string, string | number> = {}, query: Query = {}): string {
  const filled = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name] ?? "")));
  const asked = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== "") asked.set(name, String(value));
  }
  return asked.size > 0 ? `${filled}?${asked}` : filled;
}

/** Reads a document. A GET without an answer is tried three times. */
export async function read<P extends ReadPath>(
  route: P,
  options: Options<Placed<Of<P, "get">>> = {},
): Promise<Json<Of<P, "get">>> {
  const answer = await fetchRead(address(route, options.path ?? {}, options.query), options.signal);
  return (await answer.json()) as Json<Of<P, "get">>;
}

/** Changes something and reads the answer. It is sent once. */
export async function change<P extends ChangePath>(
  route: P,
  body: Body<Of<P, "post">>,
  options: Options<Placed<Of<P, "post">>> = {},
): Promise<Json<Of<P, "post">>> {
  const init: RequestInit = { method: "POST", headers: { "x-hemora": "1" }, signal: options.signal ?? null };
  if (body !== undefined) {
    init.headers = { "x-hemora": "1", "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const url = address(route, options.path ?? {}, options.query);
  const answer = await withSession(() => once(url, init), url);
  return (await answer.json()) as Json<Of<P, "post">>;
}

/** Reads what is no JSON: pixels, pictures. Tried three times, as documents are. */
export async function fetchRead(url: string, signal?: AbortSignal): Promise<Response> {
  const init: RequestInit = { signal: signal ?? null };
  if (Date.now() - touched > HANDS_OFF) init.headers = { "x-hemora": "background" };
  return withSession(async () => {
    for (const pause of PAUSES) {
      try {
        return await once(url, init);
      } catch (error) {
        if (!(error instanceof Refusal) || !worthAnotherTry(error.status)) throw error;
        await sleep(pause, signal);
      }
    }
    return once(url, init);
  }, url);
}

function worthAnotherTry(status: number): boolean {
  return status === 0 || status === 502 || status === 503 || status === 504;
}

/** Runs a request; where the session has ended, again after a new login. */
async function withSession(request: () => Promise<Response>, url: string): Promise<Response> {
  try {
    return await request();
  } catch (error) {
    const ended = error instanceof Refusal && error.status === 401 && !/\/(login|setup|session|password)$/.test(url);
    if (ended && (await loginAgain())) return request();
    throw error;
  }
}

/** By how much the clock of the node is ahead of this computer's, ms. */
let ahead = 0;

/** The time by the clock of the node, which times of images are by, ms. */
export function nodeNow(): number {
  return Date.now() + ahead;
}

async function once(url: string, init: RequestInit): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(url, { ...init, credentials: "same-origin", redirect: "error" });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refusal("The node does not answer. Is it running, and does the network reach it?", 0);
  }
  const date = Date.parse(answer.headers.get("date") ?? "");
  // The header counts whole seconds: less than two of difference are none.
  if (Number.isFinite(date)) ahead = Math.abs(date - Date.now()) < 2_000 ? 0 : date - Date.now();
  if (answer.ok) return answer;
  const problem = await answer.json().then(
    (said: Partial<Documents["Problem"]>) => said.error,
    () => undefined,
  );
  const after = Number(answer.headers.get("retry-after") ?? Number.NaN);
  const words = problem ?? `The node answered ${answer.status} ${answer.statusText}.`;
  throw new Refusal(words, answer.status, Number.isFinite(after) ? after : undefined);
}

/** Waits, or throws as soon as the signal says so. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    }, { once: true });
  });
}

/** Whether an error is only that somebody no longer waits for the answer. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** The words of an error for a reader. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
