// A reader at a desk: Chromium, logged in, watched for errors.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, test } from "node:test";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS, login } from "./pages.mjs";
import { USERS } from "./world.mjs";

export { listReady, sliceReady } from "./pages.mjs";

/** How long the page may take for what a test waits for, ms. */
const PATIENCE = 20_000;

/** The node and the studies that `run.mjs` made. */
export const world = JSON.parse(readFileSync(process.env.HEMORA_PAGE_WORLD, "utf8"));

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const browsers = new Map();

/** One browser for each set of flags. */
async function browser(flags) {
  const key = flags.join(" ");
  if (!browsers.has(key)) {
    browsers.set(key, chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] }));
  }
  return browsers.get(key);
}

after(async () => {
  for (const one of browsers.values()) await (await one).close();
});

/** Everything that a test opens. */
class Desk {
  constructor() {
    this.problems = [];
    this.contexts = [];
    this.allowed = [];
  }

  /** Console messages that belong to what the test does. */
  allow(...patterns) {
    this.allowed.push(...patterns);
  }

  /** Opens a page as a user (a key of USERS, or null for nobody). */
  async open(path, options = {}) {
    const { user = "reader", theme = "dark", size = [1440, 900], flags = [], origin = world.origin } = options;
    const context = await (await browser(flags)).newContext({
      baseURL: origin,
      viewport: { width: size[0], height: size[1] },
      reducedMotion: options.reducedMotion ?? "no-preference",
      locale: "en-GB",
      ...options.context,
    });
    this.contexts.push(context);
    context.setDefaultTimeout(PATIENCE);
    if (user) await login(context, origin, USERS[user]);
    await context.addInitScript((chosen) => {
      if (!localStorage.getItem("hemora-theme")) localStorage.setItem("hemora-theme", chosen);
      addEventListener("securitypolicyviolation", (event) => {
        console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}`);
      });
    }, theme);
    const page = await context.newPage();
    this.watch(page);
    await page.goto(path);
    return page;
  }

  /** Notes what goes wrong on a page. */
  watch(page) {
    const note = (words) => {
      if (!this.allowed.some((pattern) => pattern.test(words))) this.problems.push(words);
    };
    page.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") {
        note(`${message.text()} ${message.location().url ?? ""}`);
      }
    });
    page.on("pageerror", (error) => note(`uncaught ${error.message}`));
  }

  async close(failed, name) {
    const folder = process.env.HEMORA_PAGE_FAILURES;
    let number = 0;
    for (const context of this.contexts) {
      for (const page of failed && folder ? context.pages() : []) {
        const file = `${name.replaceAll(/\W+/g, "-")}-${(number += 1)}.png`;
        await page.screenshot({ path: join(folder, file) }).catch(() => undefined);
      }
      await context.close();
    }
  }
}

/** A test at a desk; it fails if a page logs an error or breaks its content security policy. */
export function check(name, body) {
  test(name, { timeout: 180_000 }, async () => {
    const desk = new Desk();
    let failed = true;
    try {
      await body(desk);
      failed = false;
    } finally {
      await desk.close(failed, name);
    }
    assert.deepEqual(desk.problems, [], "the console of the page");
  });
}

/** Violations of accessibility rules, in words. */
export async function violations(page) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const values = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations: found } = await globalThis.axe.run(document, { runOnly: { type: "tag", values } });
    return found.map((one) => {
      const where = one.nodes.map((node) => `${node.target.join(" ")}: ${node.failureSummary}`).slice(0, 5);
      return `${one.id} (${one.impact}): ${one.help}\n  ${where.join("\n  ")}`;
    });
  });
}

/** The row of a study of the world. */
export function row(page, name) {
  return page.locator(`tr[data-uid="${world.studies[name].uid}"]`);
}

/** The name of the first head of a class. */
export function head(wanted) {
  const found = Object.entries(world.studies).find(([name, study]) => name.startsWith("head") && study.class === wanted);
  assert.ok(found, `one of the phantoms is ${wanted}`);
  return found[0];
}

/** The address of a study of the world. */
export function studyPath(name) {
  return `/study/${world.studies[name].uid}`;
}

/** The index of the slice on the canvas. */
export async function drawnSlice(page) {
  return Number(await page.getByTestId("slice").getAttribute("data-slice"));
}

/** What is written in a part of the stage. */
export function hud(page, part) {
  return page.locator(`[data-hud=${part}]`).textContent();
}

/** Waits until something of the page is as wanted; fails with what it was. */
export async function becomes(what, look, wanted, patience = PATIENCE) {
  const end = Date.now() + patience;
  let found;
  for (;;) {
    found = await look();
    if (typeof wanted === "function" ? wanted(found) : Object.is(found, wanted)) return found;
    if (Date.now() > end) break;
    await new Promise((done) => setTimeout(done, 30));
  }
  if (typeof wanted === "function") assert.fail(`${what}: ${JSON.stringify(found)}`);
  assert.equal(found, wanted, what);
}
