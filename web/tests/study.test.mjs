// The study screen: every key, the mouse, and what they do.

import assert from "node:assert/strict";

import { becomes, check, drawnSlice, head, hud, listReady, sliceReady, studyPath, world } from "./support/browser.mjs";
import { Client } from "./support/node.mjs";
import { THRESHOLDS, USERS } from "./support/world.mjs";

/** Opens the positive head, and reads its view as the page does. */
async function opened(desk, options = {}) {
  const name = options.study ?? head("positive");
  const page = await desk.open(studyPath(name), options);
  await sliceReady(page);
  await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  const view = await page.evaluate(async (uid) => (await fetch(`/api/v1/studies/${uid}/view`)).json(), world.studies[name].uid);
  return { page, view, count: view.series[0].slices.length };
}

const slice = (page, wanted, after) => becomes(`the slice after ${after}`, () => drawnSlice(page), wanted);

check("keys and wheel lead through the slices and key slices", async (desk) => {
  const { page, view, count } = await opened(desk);
  const keys = view.key_slices.map((key) => key.slice);
  assert.ok(keys.length > 1, "several key slices");
  await slice(page, keys[0], "opening");
  await page.keyboard.press("PageDown");
  await slice(page, keys[1], "PageDown");
  await page.keyboard.press("PageUp");
  await slice(page, keys[0], "PageUp");
  await page.keyboard.press("Home");
  await slice(page, 0, "Home");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowUp");
  await slice(page, 1, "ArrowDown at the lowest, ArrowUp");
  await page.keyboard.press("End");
  await slice(page, count - 1, "End");
  await page.keyboard.press("ArrowDown");
  await slice(page, count - 2, "ArrowDown");
  await becomes("slice", () => hud(page, "slice"), (words) => new RegExp(`^${count - 1} of ${count} · z -?\\d+\\.\\d mm$`).test(words));
  const z = view.series[0].slices.map((one) => one.z_mm);
  assert.deepEqual(z, [...z].sort((a, b) => a - b), "from the feet to the head");
  const box = await page.getByTestId("slice").boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await page.mouse.wheel(0, 120);
  await becomes("the slice after the wheel", () => drawnSlice(page), (now) => now !== count - 2);
  await becomes("pointer", () => hud(page, "pointer"), (words) => /^-?\d+ HU at column \d+, row \d+$/.test(words));
  const { text, at } = await page.getByTestId("slice").evaluate((canvas) => ({
    text: canvas.getAttribute("aria-label"), at: Number(canvas.dataset.slice),
  }));
  assert.match(text, new RegExp(`^Slice ${at + 1} of ${count}; brain window; the patient's`));
});

check("the value below the pointer is the one that the node has", async (desk) => {
  const { page } = await opened(desk);
  await page.keyboard.press("z");
  const box = await page.getByTestId("slice").boundingBox();
  await page.mouse.move(box.x + 40.5, box.y + 60.5);
  const said = /^(-?\d+) HU at column (\d+), row (\d+)$/.exec(await becomes("the value", () => hud(page, "pointer"), (words) => words !== ""));
  const [, hu, column, row] = said.map(Number);
  assert.deepEqual([column, row], [41, 61]);
  const at = await drawnSlice(page);
  const wanted = await page.evaluate(async ([uid, index, x, y]) => {
    const answer = await fetch(`/api/v1/studies/${uid}/series/0/slices/${index}`);
    const pixels = new Int16Array(await answer.arrayBuffer());
    return pixels[y * Number(answer.headers.get("hemora-columns")) + x];
  }, [world.studies[head("positive")].uid, at, 40, 60]);
  assert.equal(hu, wanted);
});

check("keys 1 to 5 and a drag set the window, r sets it back", async (desk) => {
  const { page } = await opened(desk);
  const windows = { 1: "W 80 L 40 brain", 2: "W 200 L 80 subdural", 3: "W 40 L 40 stroke", 4: "W 2800 L 600 bone", 5: "W 375 L 40 soft tissue" };
  for (const [key, words] of Object.entries(windows)) {
    await page.keyboard.press(key);
    await becomes(`the window after ${key}`, () => hud(page, "window"), words);
  }
  await page.keyboard.press("1");
  const box = await page.getByTestId("slice").boundingBox();
  await page.mouse.move(box.x + 100, box.y + 100);
  await page.mouse.down();
  await page.mouse.move(box.x + 200, box.y + 130, { steps: 4 });
  await page.mouse.up();
  const [, width, level] = /^W (\d+) L (-?\d+)/.exec(await hud(page, "window"));
  assert.ok(Number(width) > 80, `to the right the window widens: ${width}`);
  assert.ok(Number(level) > 40, `downwards its level rises: ${level}`);
  await page.keyboard.press("r");
  await becomes("the window after r", () => hud(page, "window"), windows[1]);
});

check("h shows the map as outline, as colours, and not at all", async (desk) => {
  const { page } = await opened(desk);
  const button = page.getByRole("button", { name: /^Map: / });
  const outline = page.locator("svg.outline");
  const heat = page.locator("canvas.heat");
  const meaning = await becomes("what the map is", () => hud(page, "map"), (words) => words !== "");
  assert.match(meaning, /^Map of .+: (where the network sees it|what spoke for it, which need not be where it is)$/);
  await becomes("the outline", () => outline.evaluate((svg) => svg.classList.contains("gone")), false);
  assert.match(await outline.locator("path.line").getAttribute("d"), /^M[\d.]+ [\d.]+L/);
  await page.keyboard.press("h");
  await button.getByText("Map: overlay").waitFor();
  await heat.waitFor();
  const painted = await heat.evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.some((value, index) => index % 4 === 3 && value > 0);
  });
  assert.ok(painted, "colours");
  assert.ok(await outline.evaluate((svg) => svg.classList.contains("gone")));
  await page.keyboard.press("h");
  await button.getByText("Map: off").waitFor();
  await heat.waitFor({ state: "hidden" });
  await becomes("map", () => hud(page, "map"), "");
  await page.keyboard.press("h");
  await button.getByText("Map: outline").waitFor();
});

check("m shows the planes, and a click there goes to that slice", async (desk) => {
  const { page, count } = await opened(desk);
  await page.keyboard.press("m");
  for (const plane of ["coronal", "sagittal"]) {
    const canvas = page.getByTestId(plane);
    await canvas.waitFor();
    await becomes(`the height of the ${plane} image`, () => canvas.evaluate((it) => it.height), count);
    assert.match(await canvas.getAttribute("aria-label"), /head at the top$/);
  }
  const box = await page.getByTestId("coronal").boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + 2);
  await slice(page, count - 1, "a click at the top of the coronal image");
  await page.mouse.click(box.x + box.width / 2, box.y + box.height - 2);
  await slice(page, 0, "a click at its bottom");
  await page.keyboard.press("m");
  await page.getByTestId("coronal").waitFor({ state: "hidden" });
});

check("l measures a length in mm, by mouse and by keys", async (desk) => {
  const { page, view } = await opened(desk);
  await page.keyboard.press("z");
  await page.keyboard.press("l");
  await becomes("measuring", () => hud(page, "measuring"), (words) => /^Length: set its beginning/.test(words));
  const box = await page.getByTestId("slice").boundingBox();
  await page.mouse.click(box.x + 30, box.y + 40);
  await page.mouse.click(box.x + 90, box.y + 40);
  const [, across] = view.series[0].slices[0].spacing_mm;
  await becomes("the length", () => page.locator("svg.marks text.length").allTextContents(), (found) => found.includes(`${(60 * across).toFixed(1)} mm`));
  await page.keyboard.press("Escape");
  await becomes("measuring", () => hud(page, "measuring"), "");
  assert.match(page.url(), /\/study\//, "Escape ends the measuring, and stays on the screen");
  await page.keyboard.press("l");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Enter");
  for (let step = 0; step < 3; step += 1) await page.keyboard.press("Shift+ArrowRight");
  await page.keyboard.press("Enter");
  await page.locator(".toast", { hasText: `${(30 * across).toFixed(1)} mm` }).waitFor();
});

check("zoom, pan, 1:1 and reset", async (desk) => {
  const { page } = await opened(desk);
  const width = async () => (await page.getByTestId("slice").boundingBox()).width;
  const fitting = await width();
  await page.keyboard.press("+");
  await becomes("the width after +", width, (now) => Math.abs(now / fitting - 1.25) < 0.01);
  await page.keyboard.press("-");
  await becomes("the width after −", width, (now) => Math.abs(now / fitting - 1) < 0.01);
  await page.keyboard.press("z");
  const columns = await page.getByTestId("slice").evaluate((canvas) => canvas.width);
  await becomes("the width after z", width, columns);
  const before = await page.getByTestId("slice").boundingBox();
  await page.mouse.move(before.x + 20, before.y + 20);
  await page.mouse.down({ button: "middle" });
  await page.mouse.move(before.x + 50, before.y + 30, { steps: 3 });
  await page.mouse.up({ button: "middle" });
  const moved = await page.getByTestId("slice").boundingBox();
  assert.deepEqual([moved.x - before.x, moved.y - before.y], [30, 10]);
  await page.keyboard.press("0");
  await becomes("the width after 0", width, fitting);
  await page.keyboard.press("+");
  await page.keyboard.press("r");
  await becomes("the width after r", width, fitting);
});

check("the curve along the stack goes to slices, by click and by keys", async (desk) => {
  const { page, count } = await opened(desk);
  const stack = page.getByRole("slider");
  const box = await stack.boundingBox();
  await page.mouse.click(box.x + box.width * (2.5 / count), box.y + box.height / 2);
  await slice(page, 2, "a click");
  await stack.focus();
  await page.keyboard.press("ArrowRight");
  await slice(page, 3, "ArrowRight");
  await page.keyboard.press("ArrowDown");
  await slice(page, 2, "ArrowDown");
  await becomes("the words of the slider", () => stack.getAttribute("aria-valuetext"), (words) => new RegExp(`^slice 3 of ${count}, any hemorrhage`).test(words));
  assert.equal(await stack.getAttribute("aria-valuenow"), "3");
});

check("c copies the sentence, which names no patient", async (desk) => {
  const { page, view } = await opened(desk, { context: { permissions: ["clipboard-read", "clipboard-write"] } });
  await page.keyboard.press("c");
  await page.getByText("Sentence copied").waitFor();
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  assert.equal(copied, view.findings.sentence);
  assert.equal(await page.locator("blockquote.sentence").innerText(), copied);
  assert.ok(!copied.includes("Head"), copied);
});

check("y agrees, n disagrees with label and note, a acknowledges, u takes back, Escape goes back", async (desk) => {
  const study = head("not sure");
  const { page } = await opened(desk, { study });
  const readers = page.getByRole("region", { name: "Readers" });
  await page.keyboard.press("y");
  await readers.getByText("agreed on any hemorrhage").first().waitFor();
  await becomes("the button", () => page.getByRole("button", { name: "Agree on any hemorrhage", exact: true }).getAttribute("aria-pressed"), "true");
  await page.keyboard.press("n");
  const dialog = page.getByRole("dialog", { name: "Disagree" });
  await dialog.getByLabel("Label").selectOption("subdural");
  const note = dialog.getByLabel("Note (may be empty)");
  await note.focus();
  await page.keyboard.type("Beam hardening, no blood");
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await readers.getByText("disagreed on subdural").waitFor();
  await readers.getByText("Beam hardening, no blood").waitFor();
  await page.keyboard.press("a");
  await page.getByText("Acknowledged by ruth").waitFor();
  await page.keyboard.press("u");
  await page.getByRole("button", { name: "Acknowledge", exact: false }).waitFor();
  await page.reload();
  await readers.getByText("disagreed on subdural").waitFor();
  const administrator = await new Client(world.origin).login(USERS.administrator.name, USERS.administrator.password);
  const { rows } = await administrator.get(`/api/v1/audit?study=${world.studies[study].uid}`);
  const done = rows.filter((one) => one.who === "ruth").map((one) => one.what);
  for (const what of ["agreed", "disagreed", "acknowledged"]) assert.ok(done.some((one) => one.includes(what)), `${what} in ${done}`);
  assert.ok(!JSON.stringify(rows).includes("Beam hardening"), "no words of readers in the audit");
  await page.keyboard.press("Escape");
  await listReady(page);
});

check("a note, the help, and every key of it", async (desk) => {
  const { page } = await opened(desk, { study: head("negative") });
  await page.getByRole("textbox", { name: "Note" }).fill("<b>Compared</b> with the prior of May");
  await page.getByRole("button", { name: "Add the note" }).click();
  await page.locator("q.note", { hasText: "<b>Compared</b> with the prior of May" }).waitFor();
  await page.locator("h1").click();
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keys" });
  await help.waitFor();
  const keys = (await help.locator("kbd").allTextContents()).join(" ");
  assert.equal(keys, "↑ ↓ PgDn PgUp Home End 1 2 3 4 5 h m v l c y n a u + = - 0 z r Esc ?");
  await page.keyboard.press("Escape");
});

check("findings say what was found, by which threshold, and why nothing sure is said", async (desk) => {
  const { page, view } = await opened(desk, { study: head("not sure") });
  const table = page.locator("table.findings");
  const first = await table.locator("tbody tr").first().innerText();
  assert.match(first, /any hemorrhage/);
  assert.match(first, /not sure/);
  const [absent, present] = THRESHOLDS.map((value) => 100 * value);
  await page.getByText(`absent below ${absent} %, present from ${present} %`).first().waitFor();
  for (const reason of view.findings.findings[0].reasons) assert.ok(first.includes(reason), reason);
  assert.equal(await table.locator("tbody tr").count(), 6);
  await page.getByText(`by ${view.findings.thresholds}`).waitFor();
  await page.getByRole("link", { name: "Download NIfTI" }).waitFor();
});
