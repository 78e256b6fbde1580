// What the tests share: a node with users of every role and studies of every kind.

import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Client, Node } from "./node.mjs";

const run = promisify(execFile);

const PASSWORD = "correct horse battery staple";

/** Everybody who may log in, by what the tests call them. */
export const USERS = {
  reader: { name: "ruth", role: "reader", password: PASSWORD },
  second: { name: "rolf", role: "reader", password: PASSWORD },
  team: { name: "tim", role: "imaging-team", password: PASSWORD },
  administrator: { name: "anna", role: "administrator", password: PASSWORD },
};

/** Below the first a study is negative, from the second on positive: one of the phantoms each, and one not sure. */
export const THRESHOLDS = [0.2, 0.6];

const SETTINGS = `[score.thresholds]
who = "Dr Test"
why = "one study of each class"
any = [${THRESHOLDS.join(", ")}]
`;

/** Phantoms, and the studies that `studies.py` makes of them. */
async function makeStudies(program, folder) {
  const phantoms = join(folder, "phantoms");
  const drawn = ["--patients", "4", "--seed", "3", "--size", "128", "--slice-spacing", "12"];
  await run(program, ["synth", phantoms, ...drawn]);
  const python = process.env.HEMORA_PEERS_PYTHON ?? "python3";
  const script = fileURLToPath(new URL("studies.py", import.meta.url));
  const made = await run(python, [script, phantoms, join(folder, "studies")], { maxBuffer: 1 << 24 });
  const studies = JSON.parse(made.stdout);
  for (const [name, study] of Object.entries(studies)) study.folder = join(folder, "studies", name);
  return studies;
}

/** Makes the first administrator with the printed link, and everybody else. */
export async function makeUsers(node) {
  const administrator = new Client(node.origin);
  const { name, password } = USERS.administrator;
  await administrator.post("/api/v1/setup", { setup: await node.setupSecret(), name, password });
  for (const user of Object.values(USERS)) {
    if (user.role !== "administrator") await administrator.post("/api/v1/users", user);
  }
  return administrator;
}

/** The world, and how it ends. */
export async function makeWorld(program) {
  const folder = await mkdtemp(join(tmpdir(), "hemora-page-"));
  const node = await Node.start(program, join(folder, "node"), SETTINGS);
  try {
    const [administrator, studies] = await Promise.all([makeUsers(node), makeStudies(program, folder)]);
    const early = Object.entries(studies).filter(([name]) => name !== "late" && name !== "thin");
    await node.send(...early.map(([, study]) => study.folder));
    const found = await administrator.scored(early.map(([, study]) => study.uid));
    for (const [, study] of early) study.class = found.get(study.uid).class;
    // It is scored while the first tests run.
    await node.send(studies.thin.folder);
    const { origin, dicomPort, config } = node;
    const world = { program, folder, origin, dicomPort, config, studies };
    const end = async () => {
      await node.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { world, node, end };
  } catch (error) {
    await node.stop();
    throw new Error(`${error.message}\n${await node.log()}`);
  }
}
