// A node that runs: started, fed by storescu, asked, stopped.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { openSync, writeFileSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";

const run = promisify(execFile);

/** How long the node may take for what a test waits for, ms. */
const PATIENCE = 120_000;

/** Waits until `look` gives something, and gives it. */
export async function until(what, look, patience = PATIENCE) {
  const end = Date.now() + patience;
  let last;
  do {
    try {
      const found = await look();
      if (found) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((done) => setTimeout(done, 50));
  } while (Date.now() < end);
  throw new Error(`waited ${patience / 1000} s for ${what}${last ? `: ${last.message}` : ""}`);
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** A node of its own folder. */
export class Node {
  /** `program` is hemora; `folder` is made; `settings` are more sections of the configuration. */
  static async start(program, folder, settings = "") {
    const node = new Node();
    await mkdir(folder, { recursive: true });
    Object.assign(node, { program, folder, config: join(folder, "hemora.toml") });
    node.dicomPort = await freePort();
    node.httpPort = await freePort();
    const lines = [
      `[node]\ndata = ${JSON.stringify(join(folder, "data"))}\ndurability = "process"`,
      `[dicom]\nlisten = "127.0.0.1:${node.dicomPort}"`,
      `[http]\nlisten = "127.0.0.1:${node.httpPort}"`,
      `[settle]\nquiet = "300ms"`,
      `[keep]\nreserve = "1MiB"`,
      settings,
    ];
    writeFileSync(node.config, lines.join("\n"));
    await node.#spawn();
    return node;
  }

  async #spawn() {
    const log = openSync(join(this.folder, "node.log"), "a");
    const child = spawn(this.program, ["serve", "--config", this.config], { stdio: ["ignore", "pipe", log] });
    this.child = child;
    this.ended = once(child, "exit");
    const lines = createInterface({ input: child.stdout });
    this.said = [];
    const listening = new Promise((done) => {
      lines.on("line", (line) => {
        this.said.push(line);
        if (line.startsWith("list:")) done(true);
      });
    });
    const started = await Promise.race([listening, this.ended.then(() => false)]);
    if (!started) throw new Error(`the node did not start: ${await this.log()}`);
    this.origin = `http://127.0.0.1:${this.httpPort}`;
  }

  log() {
    return readFile(join(this.folder, "node.log"), "utf8");
  }

  /** What stands behind `#setup=` in the link that the node prints while it has no users. */
  setupSecret() {
    return until("the first link", () => this.said.join("\n").match(/#setup=([\w-]+)/)?.[1]);
  }

  /** Ends it as a service manager does. */
  async stop() {
    if (this.child.exitCode === null) this.child.kill("SIGTERM");
    await this.ended;
  }

  /** Starts it again, at the same ports. */
  async again() {
    await this.#spawn();
  }

  /** Sends the files of folders over one association. */
  async send(...folders) {
    const target = ["127.0.0.1", String(this.dicomPort), "-aec", "HEMORA", "-aet", "CT1"];
    const env = { ...process.env, TCP_NODELAY: "1" };
    await run("storescu", [...target, "+sd", "+r", ...folders], { env, maxBuffer: 1 << 24 });
  }

  /** `hemora serve COMMAND …` for this node. */
  async command(command, ...more) {
    return run(this.program, ["serve", command, ...more, "--config", this.config]);
  }
}

/** Somebody who asks the API: with a session, or without where the node has no login. */
export class Client {
  constructor(origin, cookie = "") {
    Object.assign(this, { origin, cookie });
  }

  async ask(method, path, body) {
    const headers = { "x-hemora": "1", origin: this.origin };
    if (this.cookie) headers.cookie = this.cookie;
    if (body !== undefined) headers["content-type"] = "application/json";
    const options = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    return fetch(`${this.origin}${path}`, options);
  }

  async json(method, path, body) {
    const answer = await this.ask(method, path, body);
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    const cookie = answer.headers.get("set-cookie");
    if (cookie) this.cookie = cookie.split(";")[0];
    return JSON.parse(text);
  }

  get(path) {
    return this.json("GET", path);
  }

  post(path, body) {
    return this.json("POST", path, body);
  }

  /** Begins a session. */
  async login(name, password) {
    await this.post("/api/v1/login", { name, password });
    return this;
  }

  /** All studies of the list. */
  async studies() {
    const found = [];
    let after = "";
    do {
      const page = await this.get(`/api/v1/studies?limit=200${after && `&after=${encodeURIComponent(after)}`}`);
      found.push(...page.studies);
      after = page.next ?? "";
    } while (after);
    return found;
  }

  /** Waits until studies have a result, or the reason why they have none. */
  scored(uids) {
    const done = new Set(["scored", "not scored", "delivered", "delivering", "delivery failed"]);
    return until(`results of ${uids.length} studies`, async () => {
      const found = new Map((await this.studies()).map((study) => [study.study_instance_uid, study]));
      return uids.every((uid) => done.has(found.get(uid)?.state)) && found;
    });
  }
}
