// Writes pictures of every screen: node screens.mjs HEMORA FOLDER
//
// Of a node with phantoms, 1440 and 390 pixels wide, dark and light.

import { mkdirSync } from "node:fs";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { CHROMIUM, FLAGS, login, listReady, sliceReady } from "./support/pages.mjs";
import { USERS, makeWorld } from "./support/world.mjs";

const [program, folder] = process.argv.slice(2);
if (!program || !folder) {
  console.error("usage: node screens.mjs HEMORA FOLDER");
  process.exit(2);
}
mkdirSync(folder, { recursive: true });

/** A screen loaded its documents. */
async function loaded(page) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForFunction(() => !document.querySelector(".skeleton"));
}

/** Every screen by the name of its picture, with what makes it worth one. */
function screens(studies) {
  const [positive] = Object.values(studies).filter((study) => study.class === "positive");
  const [unsure] = Object.values(studies).filter((study) => study.class === "not sure");
  const at = ({ uid }) => `/study/${uid}`;
  return {
    worklist: { path: "/", ready: listReady, act: (page) => page.keyboard.press("j") },
    study: { path: at(positive), ready: sliceReady },
    "study-planes": {
      path: at(positive),
      ready: sliceReady,
      act: async (page) => {
        await page.keyboard.press("h");
        await page.keyboard.press("m");
        await page.getByTestId("sagittal").waitFor();
      },
    },
    "study-not-sure": { path: at(unsure), ready: sliceReady },
    "study-disagree": {
      path: at(unsure),
      ready: sliceReady,
      act: async (page) => {
        await page.keyboard.press("n");
        await page.getByRole("dialog").waitFor();
      },
    },
    "study-not-scored": { path: at(studies.scout), ready: (page) => page.getByText("This study was not scored").waitFor() },
    "study-no-positions": { path: at(studies.nowhere), ready: sliceReady },
    "study-thin": { path: at(studies.thin), ready: sliceReady },
    quality: { path: "/quality", ready: loaded },
    system: { path: "/system", ready: loaded },
    audit: { path: "/audit", ready: loaded },
    users: { path: "/users", ready: loaded },
    keys: {
      path: "/",
      ready: listReady,
      act: async (page) => {
        await page.keyboard.press("?");
        await page.getByRole("dialog").waitFor();
      },
    },
  };
}

const { world, node, end } = await makeWorld(program);
const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
try {
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    for (const theme of ["dark", "light"]) {
      const context = await browser.newContext({ baseURL: node.origin, viewport: { width, height }, locale: "en-GB" });
      await context.addInitScript((chosen) => localStorage.setItem("hemora-theme", chosen), theme);
      const picture = (page, name) => page.screenshot({ path: join(folder, `${name}-${width}-${theme}.png`), fullPage: width < 1000 });
      const page = await context.newPage();
      await page.goto("/login");
      await page.getByLabel("Name").waitFor();
      await picture(page, "login");
      await login(context, node.origin, USERS.administrator);
      for (const [name, { path, ready, act }] of Object.entries(screens(world.studies))) {
        await page.goto(path);
        await ready(page);
        await act?.(page);
        // Pictures of slices and thumbnails arrive.
        await page.waitForLoadState("networkidle", { timeout: 2_000 }).catch(() => undefined);
        await picture(page, name);
      }
      await context.close();
    }
  }
} finally {
  await browser.close();
  await end();
}
