// Several readers and roles: who was first, who may see what, sessions that end.

import assert from "node:assert/strict";

import { becomes, check, listReady, row, sliceReady, studyPath, world } from "./support/browser.mjs";
import { Client } from "./support/node.mjs";
import { USERS } from "./support/world.mjs";

check("two readers acknowledge at once: both are told who was first", async (desk) => {
  const pages = [await desk.open("/", { user: "reader" }), await desk.open("/", { user: "second" })];
  for (const page of pages) {
    await listReady(page);
    await row(page, "head1").locator("td.rank").click();
  }
  await Promise.all(pages.map((page) => page.keyboard.press("a")));
  const said = await Promise.all(pages.map((page) => {
    const toast = page.locator(".toast", { hasText: /Acknowledged: Head1, Anna|was first, at/ });
    return toast.first().innerText();
  }));
  const winner = said.findIndex((words) => words.includes("Acknowledged: Head1, Anna"));
  assert.ok(winner >= 0, said.join());
  const name = [USERS.reader.name, USERS.second.name][winner];
  assert.match(said[1 - winner], new RegExp(`${name} was first, at \\d\\d:\\d\\d`));
  for (const page of pages) {
    await becomes("the state", () => row(page, "head1").locator("td.state").innerText(), (words) => /acknowledged/.test(words) && words.includes(name));
  }
  await row(pages[winner], "head1").locator("td.rank").click();
  await pages[winner].keyboard.press("u");
  await becomes("the state", () => row(pages[winner], "head1").locator("td.state").innerText(), (words) => !words.includes("acknowledged"));
});

const SCREENS = [
  { path: "/", heading: "Worklist", from: "reader" },
  { path: "/quality", heading: "Quality", from: "reader" },
  { path: "/system", heading: "System", from: "imaging-team" },
  { path: "/audit", heading: "Audit", from: "administrator" },
  { path: "/users", heading: "Users and tokens", from: "administrator" },
];
const RANK = ["reader", "imaging-team", "administrator"];

for (const user of ["reader", "team", "administrator"]) {
  check(`screens of the role ${USERS[user].role}`, async (desk) => {
    const page = await desk.open("/", { user });
    await listReady(page);
    const may = ({ from }) => RANK.indexOf(USERS[user].role) >= RANK.indexOf(from);
    const links = await page.getByRole("navigation", { name: "Screens" }).locator("li a").allTextContents();
    assert.deepEqual(links, SCREENS.filter(may).map(({ heading }) => heading.split(" ")[0]));
    for (const screen of SCREENS) {
      await page.goto(screen.path);
      const heading = may(screen) ? screen.heading : "This screen is not for you";
      await page.getByRole("heading", { level: 1, name: heading, exact: true }).waitFor();
      if (!may(screen)) await page.getByText(`you are logged in as ${USERS[user].name}`).waitFor();
      await becomes("loading ends", () => page.locator(".skeleton").count(), 0);
      assert.equal(await page.getByText("Could not load").count(), 0, screen.path);
      assert.ok(await page.getByRole("note").getByText("For research use only").isVisible());
    }
    await page.goto(studyPath("head0"));
    await sliceReady(page);
  });
}

check("nobody sees anything before the login, which leads back to where they wanted to go", async (desk) => {
  desk.allow(/401/);
  const page = await desk.open("/quality", { user: null });
  await page.waitForURL("**/login?return=%2Fquality");
  await page.getByLabel("Name").fill(USERS.reader.name);
  await page.getByLabel("Password").fill("not the password at all");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.getByRole("alert").waitFor();
  await page.getByLabel("Password").fill(USERS.reader.password);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1, name: "Quality" }).waitFor();
  assert.equal(new URL(page.url()).pathname, "/quality");
  await page.locator("details.menu summary").click();
  await page.getByRole("button", { name: "Log out" }).click();
  await page.getByLabel("Name").waitFor();
  await page.goto("/");
  await page.getByLabel("Name").waitFor();
});

check("a login leads nowhere else than to these pages", async (desk) => {
  desk.allow(/401/);
  const page = await desk.open("/login?return=%2F%2Fexample.com%2F", { user: null });
  await page.getByLabel("Name").fill(USERS.reader.name);
  await page.getByLabel("Password").fill(USERS.reader.password);
  await page.keyboard.press("Enter");
  await listReady(page);
  assert.equal(page.url(), `${world.origin}/`);
});

check("a session that ends in the middle is asked for again, and what was written stays", async (desk) => {
  desk.allow(/401/);
  const page = await desk.open(studyPath("head0"), { user: "second" });
  await sliceReady(page);
  const note = page.getByRole("textbox", { name: "Note" });
  await note.fill("Seen on the way to the meeting");
  // At once: the page may find out by itself.
  await page.evaluate(async () => {
    await fetch("/api/v1/logout", { method: "POST", headers: { "x-hemora": "1" } });
    document.querySelector(".note-form").requestSubmit();
  });
  const dialog = page.getByRole("dialog", { name: "Your session has ended" });
  await dialog.waitFor();
  await dialog.getByLabel("Password").fill(USERS.second.password);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.locator("q.note", { hasText: "Seen on the way to the meeting" }).waitFor();
  await page.keyboard.press("Escape");
});

check("a user who is disabled is asked to log in, and refused", async (desk) => {
  desk.allow(/40[13]|EventSource/);
  const administrator = await new Client(world.origin).login(USERS.administrator.name, USERS.administrator.password);
  const page = await desk.open("/", { user: "second" });
  await listReady(page);
  try {
    await administrator.post(`/api/v1/users/${USERS.second.name}`, { disabled: true });
    await row(page, "head0").locator("td.rank").click();
    await page.keyboard.press("a");
    const dialog = page.getByRole("dialog", { name: "Your session has ended" });
    await dialog.getByLabel("Password").fill(USERS.second.password);
    await page.keyboard.press("Enter");
    await dialog.getByRole("alert").waitFor();
  } finally {
    await administrator.post(`/api/v1/users/${USERS.second.name}`, { disabled: false });
  }
});
