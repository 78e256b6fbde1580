// How the screens look and read: accessibility, small screens, print, motion.

import assert from "node:assert/strict";

import { becomes, check, head, listReady, sliceReady, studyPath, violations } from "./support/browser.mjs";

/** Every screen, with what is waited for, and dialogs that are opened on it. */
const SCREENS = [
  { path: "/", ready: listReady, dialogs: { keys: (page) => page.keyboard.press("?") } },
  {
    path: studyPath(head("positive")),
    ready: sliceReady,
    dialogs: {
      keys: (page) => page.keyboard.press("?"),
      disagree: (page) => page.keyboard.press("n"),
    },
    also: {
      "planes and colours": async (page) => {
        await page.keyboard.press("m");
        await page.getByTestId("sagittal").waitFor();
        await page.keyboard.press("h");
      },
      mirrored: (page) => page.keyboard.press("v"),
    },
  },
  { path: studyPath("scout"), ready: (page) => page.getByText("This study was not scored").waitFor() },
  { path: "/study/1.2.3", ready: (page) => page.getByText("This study is not here").waitFor() },
  { path: "/quality", ready: loaded },
  { path: "/system", ready: loaded },
  { path: "/audit", ready: loaded },
  {
    path: "/users",
    ready: loaded,
    dialogs: {
      "new user": (page) => page.getByRole("button", { name: "New user" }).click(),
      "new token": (page) => page.getByRole("button", { name: "New token" }).click(),
      password: async (page) => {
        await openMenu(page);
        await page.getByRole("button", { name: "Change password" }).click();
      },
    },
  },
];

/** Opens the menu of whoever is logged in. */
function openMenu(page) {
  return page.locator("details.menu summary").click();
}

async function loaded(page) {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await becomes("loading ends", () => page.locator(".skeleton").count(), 0);
}

for (const theme of ["dark", "light"]) {
  check(`no rule of accessibility is broken, ${theme}`, async (desk) => {
    desk.allow(/404/);
    const page = await desk.open("/login", { user: "administrator", theme });
    const broken = [];
    const look = async (what) => broken.push(...(await violations(page)).map((one) => `${what}: ${one}`));
    for (const { path, ready, dialogs = {}, also = {} } of SCREENS) {
      await page.goto(path);
      await ready(page);
      await look(path);
      for (const [name, open] of Object.entries(dialogs)) {
        await open(page);
        const dialog = page.getByRole("dialog");
        await dialog.waitFor();
        await look(`${path}, ${name}`);
        await page.keyboard.press("Escape");
        await dialog.waitFor({ state: "hidden" });
      }
      for (const [name, change] of Object.entries(also)) {
        await change(page);
        await look(`${path}, ${name}`);
      }
    }
    assert.deepEqual(broken, []);
  });

  check(`no rule of accessibility is broken before the login, ${theme}`, async (desk) => {
    desk.allow(/401/);
    const page = await desk.open("/login", { user: null, theme });
    await page.getByLabel("Name").waitFor();
    assert.deepEqual(await violations(page), []);
    await page.goto("/login#setup=abc");
    await page.reload();
    await page.getByRole("button", { name: "Make the administrator" }).waitFor();
    assert.deepEqual(await violations(page), []);
  });
}

check("a phone of 320 pixels shows every screen without scrolling sideways", async (desk) => {
  desk.allow(/404/);
  const page = await desk.open("/", { user: "administrator", size: [320, 640] });
  for (const { path, ready } of SCREENS) {
    await page.goto(path);
    await ready(page);
    const [wide, room] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(wide <= room, `${path} is ${wide} pixels wide`);
  }
});

check("wide screens show every screen without scrolling sideways", async (desk) => {
  desk.allow(/404/);
  for (const size of [[1024, 768], [1120, 700], [1225, 700], [1280, 720], [1345, 800], [3840, 2160]]) {
    const page = await desk.open("/", { user: "administrator", size });
    for (const { path, ready } of SCREENS) {
      await page.goto(path);
      await ready(page);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= size[0], `${path} is ${wide} pixels wide`);
    }
    await page.context().close();
  }
});

check("the notice never scrolls away", async (desk) => {
  const page = await desk.open("/", { user: "administrator", size: [390, 500] });
  for (const { path, ready } of SCREENS.filter((screen) => screen.path !== "/study/1.2.3")) {
    await page.goto(path);
    await ready(page);
    await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
    const box = await page.getByRole("note").filter({ hasText: "For research use only" }).first().boundingBox();
    assert.ok(box && box.y > -1 && box.y + box.height <= 500, `${path}: the notice at ${JSON.stringify(box)}`);
  }
});

check("on paper: white, without controls, with the notice", async (desk) => {
  const page = await desk.open("/", { theme: "dark" });
  for (const [path, ready] of [["/", listReady], [studyPath(head("positive")), sliceReady]]) {
    await page.goto(path);
    await ready(page);
    await page.emulateMedia({ media: "print" });
    const { background, ink } = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      const root = getComputedStyle(document.documentElement).backgroundColor;
      return { background: [root, backgroundColor], ink: color };
    });
    const brightness = (colour) => colour.match(/[\d.]+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0) / 3;
    for (const colour of background) {
      assert.ok(/, 0\)$/.test(colour) || brightness(colour) > 240, `${path}: paper is ${colour}`);
    }
    assert.ok(brightness(ink) < 80, `${path}: ink is ${ink}`);
    assert.equal(await page.getByRole("navigation").first().isVisible(), false, `${path}: navigation`);
    assert.equal(await page.locator("button:visible").count(), 0, `${path}: buttons`);
    assert.ok(await page.getByText("For research use only").first().isVisible());
    await page.emulateMedia({ media: "screen" });
  }
});

check("whoever wants no motion sees none", async (desk) => {
  const page = await desk.open("/", { reducedMotion: "reduce" });
  for (const [path, ready] of [["/", listReady], [studyPath(head("positive")), sliceReady]]) {
    await page.goto(path);
    await ready(page);
    await page.keyboard.press("?");
    const moving = await page.evaluate(() => document.getAnimations().filter((one) => {
      const { duration, iterations } = one.effect?.getComputedTiming() ?? {};
      return Number(duration) > 1 || iterations === Infinity;
    }).length);
    assert.equal(moving, 0, path);
  }
});

check("the theme is chosen once and kept", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await openMenu(page);
  await page.getByLabel("Theme").selectOption("light");
  await becomes("the background", background, (now) => now !== dark);
  const light = await background();
  await page.reload();
  await listReady(page);
  assert.equal(await background(), light);
  await openMenu(page);
  await page.getByLabel("Theme").selectOption("system");
  await page.emulateMedia({ colorScheme: "dark" });
  await becomes("the background of a dark system", background, dark);
  await page.emulateMedia({ colorScheme: "light" });
  await becomes("the background of a light system", background, light);
});

check("the pages are read in order: skip link, headings, names", async (desk) => {
  const page = await desk.open("/");
  await listReady(page);
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  await becomes("the focus", () => page.evaluate(() => document.activeElement?.id), "main");
  const link = page.locator("a.open").first();
  assert.match(await link.getAttribute("aria-label"), /, (positive|not sure|negative), \d/);
  await page.goto(studyPath(head("positive")));
  await sliceReady(page);
  await page.getByRole("heading", { name: "Findings", exact: true }).waitFor();
  const levels = await page.locator("h1, h2, h3").evaluateAll((found) => found.map((one) => Number(one.tagName[1])));
  assert.equal(levels[0], 1);
  levels.reduce((before, level) => (assert.ok(level - before <= 1, levels.join()), level));
});
