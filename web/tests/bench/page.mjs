// Measures the pages in Chromium, beside OHIF: node page.mjs SETTINGS
//
// SETTINGS is a JSON file: `node` and `list` (addresses of nodes: one with the studies, one with many rows),
// `orthanc` (host:port with DICOMweb), `ohif` (folder of the built viewer), `studies` (StudyInstanceUIDs), `opens`.
// Prints a JSON object of the measurements, in ms. Chromium has no flags for WebGL: where there is no GPU it makes
// that in software (SwiftShader) by itself.

import { readFileSync } from "node:fs";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS, listReady } from "../support/pages.mjs";
import { HEMORA, OHIF } from "./viewers.mjs";
import { serveOhif } from "./ohif-server.mjs";

const settings = JSON.parse(readFileSync(process.argv[2], "utf8"));

/** How long the wheel turns, ms, and the pause between its notches: the frames of a screen of 60 Hz. */
const TURNING = 3_000;
const NOTCH = 1_000 / 60;

/** How long nothing is asked before a page counts as loaded, ms. */
const QUIET = 700;

/** Keys that are pressed in the long list. */
const KEYS = 100;

const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
const ohif = await serveOhif(settings.ohif, settings.orthanc);

/** A page that nobody has used before, with an empty cache. */
async function fresh(viewer) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, serviceWorkers: "block" });
  context.setDefaultTimeout(60_000);
  await context.addInitScript(viewer.watch);
  const page = await context.newPage();
  let last = performance.now();
  for (const event of ["request", "requestfinished"]) page.on(event, () => (last = performance.now()));
  /** Nothing was asked for a while. A stream of events stays open, so that the network is never idle. */
  const quiet = async () => {
    while (performance.now() - last < QUIET) await new Promise((done) => setTimeout(done, 50));
  };
  return { context, page, quiet };
}

/** From the click in the list to the first slice on the screen, ms. */
async function click(viewer, origin, uid) {
  const { context, page, quiet } = await fresh(viewer);
  await page.goto(origin);
  const target = await viewer.inList(page, uid);
  await quiet();
  await page.evaluate(() => {
    addEventListener("click", (event) => (globalThis.clickedAt ??= event.timeStamp), { capture: true });
  });
  await target.click();
  const at = await viewer.firstSlice(page);
  const clicked = await page.evaluate(() => globalThis.clickedAt);
  await context.close();
  return at - clicked;
}

/** From the address of a study to its first slice, ms, and the bytes that came until then. */
async function address(viewer, origin, uid, bytes) {
  const { context, page } = await fresh(viewer);
  const count = await bytes(page);
  await page.goto(viewer.address(origin, uid), { waitUntil: "commit" });
  const at = await viewer.firstSlice(page);
  const came = count();
  await context.close();
  return { at, came };
}

/** Slices that are drawn in a second while the wheel turns. */
async function scroll(viewer, origin, uid) {
  const { context, page, quiet } = await fresh(viewer);
  await page.goto(viewer.address(origin, uid));
  await viewer.firstSlice(page);
  // All slices are here before the wheel turns.
  await quiet();
  const box = await page.locator(viewer.image).first().boundingBox();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  const session = await context.newCDPSession(page);
  await page.evaluate(() => (globalThis.slicesDrawn = 0));
  const started = performance.now();
  for (let notch = 0; performance.now() - started < TURNING; notch += 1) {
    // There and back, within a stack of 30.
    const deltaY = Math.floor(notch / 12) % 2 === 0 ? 60 : -60;
    session.send("Input.dispatchMouseEvent", { type: "mouseWheel", x, y, deltaX: 0, deltaY }).catch(() => undefined);
    const next = started + (notch + 1) * NOTCH;
    await new Promise((done) => setTimeout(done, Math.max(0, next - performance.now())));
  }
  const drawn = await page.evaluate(() => globalThis.slicesDrawn);
  const seconds = (performance.now() - started) / 1000;
  await context.close();
  return drawn / seconds;
}

/** Bytes of the answers to a page, as Chromium counts them. */
async function countedByChromium(page) {
  const session = await page.context().newCDPSession(page);
  let bytes = 0;
  session.on("Network.loadingFinished", ({ encodedDataLength }) => (bytes += encodedDataLength));
  await session.send("Network.enable");
  return () => bytes;
}

/** Bytes that OHIF's server sent: workers of that page fetch too, which Chromium counts elsewhere. */
async function countedByServer() {
  const before = ohif.sent();
  return () => ohif.sent() - before;
}

/** From a key to the frame that shows what it did, in a list of many rows, ms. */
async function keys(origin) {
  const { context, page, quiet } = await fresh(HEMORA);
  await page.goto(origin);
  await listReady(page);
  const rows = await page.locator("table.worklist tbody tr").count();
  await quiet();
  await page.evaluate(() => {
    globalThis.answered = [];
    addEventListener("keydown", (event) => {
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => globalThis.answered.push(performance.now() - event.timeStamp);
        channel.port2.postMessage(0);
      });
    });
  });
  for (let key = 0; key < KEYS; key += 1) {
    await page.keyboard.press(key % 25 === 24 ? "End" : key % 25 === 12 ? "Home" : "j");
    await page.waitForFunction((count) => globalThis.answered.length > count, key);
  }
  const answered = await page.evaluate(() => globalThis.answered);
  await context.close();
  return { rows, answered };
}

const measured = { version: browser.version(), hemora: {}, ohif: {}, list: await keys(settings.list) };
const sides = [
  ["hemora", HEMORA, settings.node, countedByChromium],
  ["ohif", OHIF, ohif.origin, countedByServer],
];
for (const [name] of sides) Object.assign(measured[name], { click: [], address: [], bytes: [], scroll: [] });
// In turn, so that what else the machine does falls on both.
for (let turn = 0; turn < settings.opens; turn += 1) {
  const uid = settings.studies[turn % settings.studies.length];
  for (const [name, viewer, origin, bytes] of sides) {
    measured[name].click.push(await click(viewer, origin, uid));
    const { at, came } = await address(viewer, origin, uid, bytes);
    measured[name].address.push(at);
    measured[name].bytes.push(came);
    if (turn < 3) measured[name].scroll.push(await scroll(viewer, origin, uid));
  }
  console.error(`${turn + 1} of ${settings.opens} opens`);
}
await browser.close();
await ohif.close();
console.log(JSON.stringify(measured));
