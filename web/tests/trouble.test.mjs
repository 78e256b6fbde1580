// What goes wrong in the middle: the node restarts, the network goes, a study is deleted or has a new revision.

import assert from "node:assert/strict";
import { mkdtemp, mkdir, copyFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";

import { becomes, check, drawnSlice, listReady, row, sliceReady, studyPath, world } from "./support/browser.mjs";
import { Node } from "./support/node.mjs";
import { makeUsers } from "./support/world.mjs";

let node;
let folder;
let administrator;

/** A node of its own, which may be stopped: two heads, and one that comes in two parts. */
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "hemora-trouble-"));
  node = await Node.start(world.program, join(folder, "node"));
  administrator = await makeUsers(node);
  const parts = [join(folder, "first"), join(folder, "second")];
  for (const part of parts) await mkdir(part);
  const files = (await readdir(world.studies.head1.folder)).sort();
  for (const [index, file] of files.entries()) {
    await copyFile(join(world.studies.head1.folder, file), join(parts[index < 10 ? 0 : 1], file));
  }
  await node.send(world.studies.head0.folder, world.studies.head2.folder, parts[0]);
  await administrator.scored(["head0", "head1", "head2"].map((name) => world.studies[name].uid));
});

after(async () => {
  await node?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

const desks = (desk, path) => desk.open(path, { origin: node.origin });

check("the node restarts: the page says so, and goes on by itself", async (desk) => {
  desk.allow(/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE/);
  const list = await desks(desk, "/");
  await listReady(list);
  const study = await desks(desk, studyPath("head0"));
  await sliceReady(study);
  await node.stop();
  for (const page of [list, study]) await page.getByText(/Offline since \d\d:\d\d/).waitFor();
  assert.ok(await list.locator("table.worklist tbody tr").count() > 0, "what was there stays");
  await node.again();
  for (const page of [list, study]) await page.getByText(/Offline since/).waitFor({ state: "hidden" });
  await row(list, "head0").locator("td.rank").click();
  await list.keyboard.press("a");
  await row(list, "head0").getByText("acknowledged").waitFor();
  await study.getByText("Acknowledged by ruth").waitFor();
  const at = await drawnSlice(study);
  await study.keyboard.press(at > 0 ? "ArrowDown" : "ArrowUp");
  await becomes("the slice", () => drawnSlice(study), (now) => now !== at);
});

check("the network goes and comes", async (desk) => {
  desk.allow(/ERR_INTERNET_DISCONNECTED|ERR_CONNECTION/);
  const page = await desks(desk, "/");
  await listReady(page);
  await page.context().setOffline(true);
  await page.locator("tbody tr").first().locator("td.rank").click();
  await page.keyboard.press("a");
  await page.getByText("The node does not answer.").first().waitFor();
  await page.context().setOffline(false);
  await page.keyboard.press("a");
  await page.locator("tbody tr").first().getByText("acknowledged").waitFor();
});

check("a new revision arrives while the study is open: it is offered, and shown when asked", async (desk) => {
  const page = await desks(desk, studyPath("head1"));
  await sliceReady(page);
  const slices = async () => Number(await page.getByRole("slider").getAttribute("aria-valuemax"));
  const first = await becomes("the slices of revision 1", slices, (count) => count > 0);
  await node.send(join(folder, "second"));
  await page.getByRole("button", { name: "Show revision 2" }).click();
  await becomes("the slices of revision 2", slices, (count) => count > first);
  await page.getByLabel("Shown").selectOption("1");
  await page.waitForURL("**?revision=1");
  await becomes("the slices of revision 1", slices, first);
});

check("a study that is deleted while it is open says so and stays readable", async (desk) => {
  desk.allow(/40[14]|410/);
  const page = await desks(desk, studyPath("head2"));
  await sliceReady(page);
  const list = await desks(desk, "/");
  await listReady(list);
  await row(list, "head2").waitFor();
  await node.command("forget", "--patient", "P003");
  await page.getByText("This study has been deleted from the node").waitFor();
  assert.ok(await page.getByRole("heading", { name: "Findings", exact: true }).isVisible());
  await row(list, "head2").waitFor({ state: "detached" });
  await page.getByRole("link", { name: "To the worklist", exact: true }).click();
  await listReady(page);
});

check("the link for the first administrator works once", async (desk) => {
  desk.allow(/40[0-9]/);
  const page = await desk.open("/login#setup=abcdefghijklmnop", { origin: node.origin, user: null });
  await page.getByLabel("Name").fill("mallory");
  await page.getByLabel("Password").fill("a password of mallory");
  await page.getByRole("button", { name: "Make the administrator" }).click();
  await page.getByRole("alert").waitFor();
  assert.equal((await administrator.get("/api/v1/users")).some((user) => user.name === "mallory"), false);
});
