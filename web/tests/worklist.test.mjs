// The worklist: order, keys, filters, what is live.

import assert from "node:assert/strict";

import { becomes, check, listReady, row, world } from "./support/browser.mjs";
import { Node } from "./support/node.mjs";

/** Index of the selected row; −1 for none. */
function selected(page) {
  return page.locator("table.worklist tbody tr").evaluateAll((rows) => rows.findIndex((one) => one.ariaCurrent === "true"));
}

/** Whether the focus is in the selected row. */
function focusIsThere(page) {
  return page.evaluate(() => Boolean(document.activeElement?.closest("tr[aria-current=true]")));
}

check("positive studies come first, with words, shapes and the leading label", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  const words = await page.locator("td.class .word").allTextContents();
  // What is negative and what was not scored stand together, by age.
  const ranks = { "▲ positive": 0, "◆ not sure": 1, "○ negative": 2, "× not scored": 2 };
  const found = words.map((word) => ranks[word.trim()]).filter((rank) => rank !== undefined);
  assert.deepEqual(found, [...found].sort((a, b) => a - b), words.join());
  for (const word of Object.keys(ranks)) assert.ok(words.includes(word), `a study that is ${word}`);
  const first = page.locator("table.worklist tbody tr").first();
  assert.match(await first.locator("td.probability").innerText(), /\d %\s+(epidural|intraparenchymal|intraventricular|subarachnoid|subdural)/);
  assert.equal(await first.locator("td.rank").innerText(), "1");
  const name = row(page, "head0").locator("th.patient");
  assert.match(await name.innerText(), /^Head0, Anna\s+P001 · 1950-01-01 · F$/);
  const thumbnail = first.locator("img");
  await thumbnail.scrollIntoViewIfNeeded();
  await becomes("the thumbnail", () => thumbnail.evaluate((image) => image.naturalWidth > 0 && image.naturalHeight > 0), true);
});

check("keys move through the list, open, acknowledge and take back", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  const count = await page.locator("table.worklist tbody tr").count();
  const steps = [["j", 0], ["j", 1], ["ArrowDown", 2], ["k", 1], ["ArrowUp", 0], ["k", 0], ["End", count - 1], ["j", count - 1], ["Home", 0]];
  for (const [key, wanted] of steps) {
    await page.keyboard.press(key);
    assert.equal(await selected(page), wanted, `after ${key}`);
    assert.ok(await focusIsThere(page), `the focus after ${key}`);
  }
  const target = page.locator("tr[aria-current=true]");
  const uid = await target.getAttribute("data-uid");
  const study = page.locator(`tr[data-uid="${uid}"]`);
  await page.keyboard.press("a");
  await study.getByText("acknowledged").waitFor();
  assert.match(await study.locator("td.state").innerText(), /acknowledged\s*ruth/);
  assert.equal(await target.getAttribute("data-uid"), uid, "the selection stays with its study, wherever it moves");
  await page.keyboard.press("u");
  await becomes("the state", () => study.locator("td.state").innerText(), (words) => !words.includes("acknowledged"));
  await page.keyboard.press("Home");
  const first = await target.getAttribute("data-uid");
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/study/${first}`);
  await page.goBack();
  await listReady(page);
});

check("/ searches, f leads to the filters, ? shows the keys, and typing is no key", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await page.keyboard.press("/");
  const search = page.getByRole("searchbox", { name: "Search" });
  await becomes("the focus", () => search.evaluate((it) => it === document.activeElement), true);
  await page.keyboard.type("jaku?f");
  assert.equal(await search.inputValue(), "jaku?f");
  assert.equal(await selected(page), -1);
  await page.getByText("No study matches the filters").waitFor();
  await page.getByRole("button", { name: "Clear filters" }).first().click();
  await listReady(page);
  await page.locator("h1").click();
  await page.keyboard.press("f");
  await becomes("the focus", () => page.evaluate(() => document.activeElement?.closest("label")?.innerText.split("\n")[0].trim()), "Class");
  await page.locator("h1").click();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.waitFor();
  for (const what of ["Next study", "Previous study", "Open the study", "Acknowledge", "Search", "Go to the filters"]) {
    await help.getByRole("row", { name: what }).first().waitFor();
  }
  await page.keyboard.press("j");
  assert.equal(await selected(page), -1, "keys of the list are still while a dialog is open");
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "hidden" });
});

check("a key can be bound to another, and back", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await page.keyboard.press("?");
  await page.getByRole("button", { name: "Change the key for: Next study" }).click();
  await page.keyboard.press("x");
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await page.reload();
  await listReady(page);
  await page.keyboard.press("x");
  await becomes("the selection", () => selected(page), 0);
  await page.keyboard.press("j");
  assert.equal(await selected(page), 0, "j is free now");
  await page.keyboard.press("?");
  await page.getByRole("button", { name: "Keys as delivered" }).click();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  // The dialog gives the focus back to the row that had it, and the selection with it.
  await becomes("the focus", () => focusIsThere(page), true);
  await page.keyboard.press("j");
  await becomes("the selection", () => selected(page), 1);
});

check("filters stand in the address and survive a reload", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await page.getByRole("combobox", { name: "Class" }).selectOption("positive");
  await page.waitForURL("**/?class=positive");
  const classes = () => page.locator("td.class .word").allTextContents();
  await becomes("only positive ones", classes, (words) => words.length > 0 && words.every((word) => word.includes("positive")));
  await page.getByRole("searchbox", { name: "Search" }).fill("Anna");
  await page.waitForURL("**/?q=Anna&class=positive");
  const names = () => page.locator("th.patient a").allTextContents();
  const heads = await becomes("the heads", names, (found) => found.length > 0 && found.every((name) => name.endsWith(", Anna")));
  await page.reload();
  await listReady(page);
  assert.deepEqual(await names(), heads);
  assert.equal(await page.getByRole("combobox", { name: "Class" }).inputValue(), "positive");
  assert.equal(await page.getByRole("searchbox", { name: "Search" }).inputValue(), "Anna");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.waitForURL(/\/$/);
});

check("a filter that is chosen while a search is typed loses neither", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  // In one turn of the page: no search has begun between the letter and the choice.
  await page.evaluate(() => {
    const set = (element, kind, value) => {
      Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), "value").set.call(element, value);
      element.dispatchEvent(new Event(kind, { bubbles: true }));
    };
    set(document.querySelector(".filters input[type=search]"), "input", "Anna");
    return new Promise((done) => setTimeout(() => {
      set(document.querySelector(".filters select"), "change", "positive");
      setTimeout(done, 600);
    }, 20));
  });
  assert.match(page.url(), /\?q=Anna&class=positive$/);
});

check("text of DICOM with HTML in it is shown as it is and runs nothing", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  const study = row(page, "html");
  const words = await study.innerText();
  assert.match(words, /<script>hacked\(\)<\/script>, <b>Bold<\/b>/);
  assert.match(words, /<img src=x onerror=window\.hacked=1>&amp;/);
  assert.match(words, /<i>P11<\/i>/);
  await study.locator("a.open").click();
  await page.getByRole("heading", { level: 1, name: "<script>hacked()</script>, <b>Bold</b>" }).waitFor();
  await page.getByText("<img src=x onerror=window.hacked=1>&amp;").waitFor();
  await page.getByText("<svg onload=window.hacked=1>").first().waitFor();
  assert.equal(await page.evaluate(() => typeof globalThis.hacked), "undefined");
});

check("a study that is sent while the list is open appears, is announced, and moves no selection", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  const chosen = page.locator("tr[aria-current=true]");
  const uid = await chosen.getAttribute("data-uid");
  const title = await page.title();
  const sender = Object.assign(new Node(), { dicomPort: world.dicomPort });
  await sender.send(world.studies.late.folder);
  const late = row(page, "late");
  await late.getByText("positive").waitFor();
  await becomes("the live region", () => page.getByTestId("news").textContent(), (words) => /New positive study: Late, Lena, \d/.test(words));
  assert.equal(await page.getByTestId("news").getAttribute("aria-live"), "assertive");
  await page.getByText("New positive study: Late, Lena").last().waitFor();
  assert.equal(await chosen.getAttribute("data-uid"), uid);
  assert.ok(await focusIsThere(page));
  await becomes("the title", () => page.title(), (words) => words !== title && /^\(\d+\+?\) Worklist · Hemora$/.test(words));
});
