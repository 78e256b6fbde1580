// Studies that are not as others: one slice, no positions, a localizer, a thousand thin slices, none at all.

import assert from "node:assert/strict";

import { becomes, check, drawnSlice, hud, listReady, row, sliceReady, studyPath, world } from "./support/browser.mjs";
import { Client } from "./support/node.mjs";
import { USERS } from "./support/world.mjs";

check("one slice", async (desk) => {
  const page = await desk.open(studyPath("one"));
  await sliceReady(page);
  await becomes("the slice", () => hud(page, "slice"), (words) => /^1 of 1 · /.test(words));
  for (const key of ["ArrowUp", "ArrowDown", "PageDown", "PageUp", "Home", "End"]) await page.keyboard.press(key);
  assert.equal(await drawnSlice(page), 0);
  await page.keyboard.press("m");
  await page.getByText(/^No coronal and sagittal images: ./).waitFor();
});

check("without positions nothing is claimed: no letters, no planes, and the screen says so", async (desk) => {
  const page = await desk.open(studyPath("nowhere"));
  await sliceReady(page);
  await becomes("the badge", () => hud(page, "unknown"), "Orientation unknown");
  for (const side of ["left", "right", "top", "bottom"]) assert.equal(await hud(page, side), "", side);
  await becomes("slice", () => hud(page, "slice"), (words) => /position unknown$/.test(words));
  await page.keyboard.press("m");
  await page.getByText(/^No coronal and sagittal images: ./).waitFor();
});

check("a localizer is not scored, and the screen says why", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await row(page, "scout").getByText("not scored").first().waitFor();
  await row(page, "scout").locator("a.open").click();
  await page.getByText("This study was not scored").waitFor();
  assert.equal(await page.getByTestId("slice").count(), 0);
});

check("a study that is not here", async (desk) => {
  desk.allow(/404/);
  const page = await desk.open("/study/1.2.3.4");
  await page.getByRole("heading", { name: "This study is not here" }).waitFor();
  await page.getByRole("link", { name: "To the worklist", exact: true }).click();
  await listReady(page);
});

check("a thousand thin slices are listed and scrolled", async (desk) => {
  const client = await new Client(world.origin).login(USERS.reader.name, USERS.reader.password);
  await client.scored([world.studies.thin.uid]);
  const page = await desk.open("/");
  await listReady(page);
  assert.match(await row(page, "thin").locator("td.description").innerText(), /1,?000 images/);
  await row(page, "thin").locator("a.open").click();
  await sliceReady(page);
  await becomes("the slice", () => hud(page, "slice"), (words) => /^\d+ of 1000 · z -?\d/.test(words));
  await page.keyboard.press("Home");
  await becomes("the slice", () => drawnSlice(page), 0);
  for (let step = 0; step < 60; step += 1) await page.keyboard.press("ArrowUp");
  await becomes("the slice after 60 steps", () => drawnSlice(page), 60);
  await page.keyboard.press("End");
  await becomes("the slice", () => drawnSlice(page), 999);
  await page.keyboard.press("m");
  await becomes("the coronal image", () => page.getByTestId("coronal").evaluate((canvas) => canvas.height), 1000);
});
