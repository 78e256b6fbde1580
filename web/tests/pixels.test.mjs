// What stands on the canvas: the pixels are Hemora's own, and the letters name the sides where they are.

import assert from "node:assert/strict";

import { becomes, check, drawnSlice, head, hud, sliceReady, studyPath, world } from "./support/browser.mjs";

const WINDOWS = ["brain", "subdural", "stroke", "bone", "soft"];

/** How many pixels of the canvas differ from the node's own picture of the slice. */
function differences(page, uid, slice, window) {
  return page.evaluate(async ([study, index, name]) => {
    const answer = await fetch(`/api/v1/studies/${study}/series/0/slices/${index}/picture?window=${name}`);
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    const bitmap = await createImageBitmap(await answer.blob(), { colorSpaceConversion: "none" });
    const canvas = document.querySelector("canvas[data-testid=slice]");
    if (canvas.width !== bitmap.width || canvas.height !== bitmap.height) return { count: "another size" };
    const [wanted, found] = [bitmap, canvas].map((image) => {
      const copy = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
      copy.drawImage(image, 0, 0);
      return copy.getImageData(0, 0, bitmap.width, bitmap.height).data;
    });
    const shades = new Set();
    let count = 0;
    for (let at = 0; at < wanted.length; at += 1) {
      if (found[at] !== wanted[at]) count += 1;
      shades.add(wanted[at]);
    }
    return { count, shades: shades.size };
  }, [uid, slice, window]);
}

for (const flags of [[], ["--disable-gpu", "--disable-3d-apis"]]) {
  check(`every pixel is Hemora's in all five windows${flags.length > 0 ? ", without WebGL" : ""}`, async (desk) => {
    const name = head("positive");
    const page = await desk.open(studyPath(name), { flags });
    await sliceReady(page);
    if (flags.length > 0) {
      assert.equal(await page.evaluate(() => document.createElement("canvas").getContext("webgl")), null);
    }
    await page.keyboard.press("z");
    for (const [index, window] of WINDOWS.entries()) {
      await page.keyboard.press(String(index + 1));
      await becomes("the window", () => hud(page, "window"), (words) => words.includes(window === "soft" ? "soft tissue" : window));
      for (const key of ["PageDown", "ArrowUp"]) {
        const before = await drawnSlice(page);
        await page.keyboard.press(key);
        const slice = await becomes("the slice", () => drawnSlice(page), (now) => now !== before);
        const { count, shades } = await differences(page, world.studies[name].uid, slice, window);
        assert.equal(count, 0, `${window}, slice ${slice}`);
        assert.ok(shades > 20, `${shades} shades of grey in ${window}`);
      }
    }
    const box = await page.getByTestId("slice").boundingBox();
    const { width, height } = await page.getByTestId("slice").evaluate((it) => ({ width: it.width, height: it.height }));
    assert.deepEqual([box.width, box.height], [width, height], "a pixel of the slice is one of the screen");
  });
}

/** Where the marker stands on the screen: shares of width and height of an image, with nothing written over it. */
async function marker(page, testId) {
  const over = ".edge, .corner, .badges, .marks, .outline, .heat, .plane-box svg";
  const style = await page.evaluate((hidden) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(`:is(${hidden}) { visibility: hidden !important }`);
    document.adoptedStyleSheets.push(sheet);
    return document.adoptedStyleSheets.length - 1;
  }, over);
  const picture = await page.getByTestId(testId).screenshot();
  await page.evaluate((at) => document.adoptedStyleSheets.splice(at, 1), style);
  return page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (one) => one.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context.drawImage(bitmap, 0, 0);
    const { data, width, height } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    let [count, x, y] = [0, 0, 0];
    for (let at = 0; at < width * height; at += 1) {
      if (data[at * 4] < 252) continue;
      count += 1;
      x += at % width;
      y += Math.floor(at / width);
    }
    return count === 0 ? null : { x: x / count / width, y: y / count / height, share: count / (width * height) };
  }, picture.toString("base64"));
}

/** The edge at which a letter stands: −1 left or top, 1 right or bottom. */
function edge(letters, letter) {
  const at = letters.indexOf(letter);
  assert.ok(at >= 0, `${letter} in ${letters}`);
  return { axis: at < 2 ? "x" : "y", towards: at % 2 === 0 ? -1 : 1 };
}

function standsAt(found, letters, letter, what) {
  assert.ok(found, `${what}: the marker is seen`);
  const { axis, towards } = edge(letters, letter);
  assert.equal(Math.sign(found[axis] - 0.5), towards, `${what}: ${letter} of ${letters}, marker at ${found.x}, ${found.y}`);
}

const sides = Object.keys(world.studies).filter((name) => name.startsWith("side-"));

for (const name of sides) {
  check(`the letters name the patient's sides: ${name.replace("side-", "")}`, async (desk) => {
    const page = await desk.open(studyPath(name));
    await sliceReady(page);
    await page.keyboard.press("4");
    await page.keyboard.press("Home");
    await becomes("the slice", () => drawnSlice(page), 0);
    assert.equal(await marker(page, "slice"), null, "the marker is in the upper half of the head");
    await page.keyboard.press("End");
    await becomes("the slice", () => drawnSlice(page), 7);
    const letters = () => Promise.all(["left", "right", "top", "bottom"].map((side) => hud(page, side)));
    const plain = await letters();
    const found = await marker(page, "slice");
    standsAt(found, plain, "L", "axial");
    standsAt(found, plain, "A", "axial");
    await page.keyboard.press("v");
    await becomes("the badge", () => hud(page, "mirrored"), "MIRRORED");
    const swapped = await letters();
    assert.deepEqual(swapped, [plain[1], plain[0], plain[2], plain[3]]);
    const mirrored = await marker(page, "slice");
    standsAt(mirrored, swapped, "L", "mirrored");
    assert.ok(Math.abs(mirrored.x + found.x - 1) < 0.02, "the image itself is mirrored");
    await page.keyboard.press("v");
    await becomes("the badge", () => hud(page, "mirrored"), "");
    await page.keyboard.press("m");
    await page.getByTestId("coronal").waitFor();
    for (const [key, share] of [["x", found.x], ["y", found.y]]) {
      const arrow = key === "x" ? (share > 0.5 ? "ArrowRight" : "ArrowLeft") : share > 0.5 ? "ArrowDown" : "ArrowUp";
      const steps = Math.round((Math.abs(share - 0.5) * 128) / 4);
      for (let step = 0; step < steps; step += 1) await page.keyboard.press(`Shift+${arrow}`);
    }
    for (const [plane, letter] of [["coronal", "L"], ["sagittal", "A"]]) {
      const seen = await page.locator("figure", { has: page.getByTestId(plane) }).locator(".edge").allTextContents();
      assert.deepEqual(seen.slice(2), ["H", "F"], plane);
      const there = await becomes(`the marker in the ${plane} image`, () => marker(page, plane), (it) => it !== null);
      standsAt(there, seen, letter, plane);
      standsAt(there, seen, "H", plane);
    }
  });
}
