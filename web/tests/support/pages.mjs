// Chromium, the login, and when a screen is ready: for tests, pictures and the benchmark.

import assert from "node:assert/strict";

/** Chromium as Debian has it, or another. */
export const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";

/** As root it has no sandbox of its own. */
export const FLAGS = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** Logs in within the browser, as the page does, so that the browser keeps the cookie or refuses it. */
export async function login(context, origin, { name, password }) {
  const page = await context.newPage();
  await page.goto(`${origin}/api/v1/openapi.json`);
  const status = await page.evaluate(async (body) => {
    const headers = { "content-type": "application/json", "x-hemora": "1" };
    const answer = await fetch("/api/v1/login", { method: "POST", headers, body: JSON.stringify(body) });
    return `${answer.status} ${await answer.text()}`;
  }, { name, password });
  assert.match(status, /^200 /, `login of ${name}`);
  await page.close();
}

/** The worklist is loaded. */
export async function listReady(page) {
  await page.locator("table.worklist tbody tr").first().waitFor();
}

/** A slice stands on the canvas. */
export async function sliceReady(page) {
  await page.locator("canvas[data-testid=slice][data-slice]").waitFor();
}
