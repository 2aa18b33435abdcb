#!/usr/bin/env node
// Writes what the binary holds beside rowhook's own code, crates and npm packages of the console, with their licences and
// their texts: `packaging/licenses [FILE]` (default: THIRD-PARTY-LICENSES.txt). They ask that it goes with a release.
//
// By the lock files, out of the sources that a build has fetched; the npm packages have to be installed (npm ci in
// console/web, which the build of the console does).
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const file = resolve(process.argv[2] ?? "THIRD-PARTY-LICENSES.txt");
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const web = join(root, "console/web");
const TEXT = /^(licen[cs]e|copying|notice|unlicense|copyright)/i;

const run = (folder, program, ...rest) =>
  execFileSync(program, rest, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });

// The texts of a package: the files beside its manifest that are called as such files are.
const texts = (folder) =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isFile() && TEXT.test(entry.name))
    .map((entry) => readFileSync(join(folder, entry.name), "utf8").trim())
    .filter((text) => text !== "");

// What the binary's crate depends on for running, and what that depends on; neither for building nor for tests.
function crates() {
  const told = run(root, "cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform",
    "x86_64-unknown-linux-gnu");
  const { packages, resolve: graph } = JSON.parse(told);
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const found = new Set();
  const visit = (id) => {
    if (found.has(id)) return;
    found.add(id);
    nodes.get(id).deps.filter(({ dep_kinds }) => dep_kinds.some(({ kind }) => kind === null)).forEach(({ pkg }) => visit(pkg));
  };
  visit(graph.root);
  return packages
    .filter(({ id, source }) => found.has(id) && source !== null) // null: of this repository
    .map(({ name, version, license, manifest_path }) => ({ name, version, license, folder: dirname(manifest_path) }));
}

function consolePackages() {
  const lock = JSON.parse(readFileSync(join(web, "package-lock.json"), "utf8"));
  return Object.entries(lock.packages)
    .filter(([place, { dev, devOptional, optional, peer }]) => place !== "" && !dev && !devOptional && !optional && !peer)
    .map(([place, { version, license }]) => ({
      name: place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length),
      version,
      license,
      folder: join(web, place),
    }));
}

const all = [...crates(), ...consolePackages()];
const missing = all.filter(({ folder }) => !existsSync(folder)).map(({ name }) => name);
if (missing.length > 0) {
  console.error(`packaging/licenses: build rowhook with its console first; these are not here: ${missing.join(", ")}`);
  process.exit(1);
}

// Each text once, below all whose text it is.
const holders = new Map();
for (const one of all) {
  const found = texts(one.folder);
  const title = `${one.name} ${one.version} (${one.license ?? "see its text"})`;
  for (const text of found.length > 0 ? found : ["Its package has no file with the licence's text; the licence is the one named above."]) {
    holders.set(text, [...(holders.get(text) ?? []), title]);
  }
}
const line = "=".repeat(80);
const parts = [...holders].map(([text, titles]) => `${line}\n${[...new Set(titles)].sort().join("\n")}\n\n${text}\n`);
const head = "What the rowhook binary holds beside its own code, with the licences. rowhook's own licence is in LICENSE.\n";
writeFileSync(file, [head, ...parts.sort()].join("\n"));
console.error(`wrote ${file}: ${all.length} packages`);
