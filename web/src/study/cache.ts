// Slices of one study in memory: fetched at most four at once, the wanted ones first, the least used ones let go.

import type { Pixels } from "./canvas";

/** Bytes of pixels that are kept. */
const BYTES = 256 * 1024 * 1024;
const AT_ONCE = 4;
/** After a failure, a slice is not fetched ahead for so long, ms. */
const PAUSE = 60_000;
/** After so many failures in a row nothing more is fetched ahead until another slice is wanted. */
const FAILURES = 3;

/** Fetches the pixels behind an address. */
export type Fetch = (address: string, signal: AbortSignal) => Promise<Pixels>;

interface Waiting {
  promise: Promise<Pixels>;
  resolve: (pixels: Pixels) => void;
  reject: (error: unknown) => void;
}

export class SliceCache {
  private readonly kept = new Map<string, Pixels>();
  private bytes = 0;
  private readonly asked = new Map<string, Waiting>();
  private readonly running = new Set<string>();
  private readonly failed = new Map<string, number>();
  private failures = 0;
  private ahead: string[] = [];
  private readonly stop = new AbortController();
  private readonly listeners = new Set<(address: string) => void>();

  constructor(private readonly fetch: Fetch) {}

  /** The pixels, if they are here. */
  get(address: string): Pixels | undefined {
    const pixels = this.kept.get(address);
    if (pixels) {
      this.kept.delete(address);
      this.kept.set(address, pixels);
    }
    return pixels;
  }

  has(address: string): boolean {
    return this.kept.has(address);
  }

  /** Keeps pixels that came another way. */
  put(address: string, pixels: Pixels): void {
    if (!this.kept.has(address) && !this.stop.signal.aborted) this.keep(address, pixels);
  }

  /** The pixels; before all that is only fetched ahead. What is asked last is fetched first. */
  load(address: string): Promise<Pixels> {
    const pixels = this.get(address);
    if (pixels) return Promise.resolve(pixels);
    let waiting = this.asked.get(address);
    if (!waiting) {
      let resolve!: Waiting["resolve"];
      let reject!: Waiting["reject"];
      const promise = new Promise<Pixels>((yes, no) => {
        resolve = yes;
        reject = no;
      });
      waiting = { promise, resolve, reject };
    }
    this.asked.delete(address);
    this.asked.set(address, waiting);
    this.next();
    return waiting.promise;
  }

  /** What nobody waits for any more is not fetched, unless it is under way. */
  forgetAllBut(address: string): void {
    for (const [other, waiting] of this.asked) {
      if (other !== address && !this.running.has(other)) {
        this.asked.delete(other);
        waiting.reject(new DOMException("another slice is wanted", "AbortError"));
      }
    }
  }

  /** What is fetched when nobody waits, in this order; replaces what was said before. */
  prefetch(addresses: string[]): void {
    this.ahead = addresses;
    this.next();
  }

  /** Calls when a slice has come; returns what ends it. */
  onArrival(listener: (address: string) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Ends all requests. */
  close(): void {
    this.ahead = [];
    this.stop.abort();
    this.kept.clear();
    this.listeners.clear();
  }

  private wanted(): string | undefined {
    let last: string | undefined;
    for (const address of this.asked.keys()) if (!this.running.has(address)) last = address;
    if (last !== undefined) return last;
    // Whoever waits for a slice has a connection free: what comes ahead leaves one.
    if (this.running.size >= AT_ONCE - 1) return undefined;
    const now = performance.now();
    while (this.ahead.length > 0) {
      const address = this.ahead.shift()!;
      const rests = now < (this.failed.get(address) ?? 0);
      if (!this.kept.has(address) && !this.running.has(address) && !rests) return address;
    }
    return undefined;
  }

  private next(): void {
    while (this.running.size < AT_ONCE && !this.stop.signal.aborted) {
      const address = this.wanted();
      if (address === undefined) return;
      this.running.add(address);
      void this.run(address);
    }
  }

  private async run(address: string): Promise<void> {
    try {
      const pixels = await this.fetch(address, this.stop.signal);
      if (this.stop.signal.aborted) return;
      this.failures = 0;
      this.keep(address, pixels);
      this.asked.get(address)?.resolve(pixels);
      for (const listener of this.listeners) listener(address);
    } catch (error) {
      this.failed.set(address, performance.now() + PAUSE);
      if (++this.failures >= FAILURES) this.ahead = [];
      this.asked.get(address)?.reject(error);
    } finally {
      this.asked.delete(address);
      this.running.delete(address);
      this.next();
    }
  }

  private keep(address: string, pixels: Pixels): void {
    this.kept.set(address, pixels);
    this.bytes += pixels.hu.byteLength;
    for (const [oldest, { hu }] of this.kept) {
      if (this.bytes <= BYTES || oldest === address) return;
      this.kept.delete(oldest);
      this.bytes -= hu.byteLength;
    }
  }
}

/** Indices of a stack from one of them outwards, at most so far. */
export function outwards(from: number, count: number, far = count): number[] {
  const order = [from];
  for (let step = 1; step <= far && step < count; step++) {
    if (from + step < count) order.push(from + step);
    if (from - step >= 0) order.push(from - step);
  }
  return order;
}
