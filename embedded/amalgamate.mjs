// SPDX-License-Identifier: Apache-2.0
// node embedded/amalgamate.mjs [FOLDER]
//
// The whole core as two files, minnow.c and minnow.h, in FOLDER
// (build/amalgamation). Sources follow one another, kernels first. A header is
// copied once, before what first needs it; one that only some processors need
// (it is included within an #if) becomes a part of each source that includes
// it, so that what it defines can differ from file to file.
//
// Files have static functions, types and constants of the same name. A name of
// one file that any other mentions gets the file's name behind it: `rank` of
// link.c becomes `rank_in_link`. Macros of a source end with it.
import { readFileSync, readdirSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, normalize, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const core = fileURLToPath(new URL("../core/", import.meta.url));

// Arrows go one way (core/DESIGN.md): what is needed comes first.
const FOLDERS = ["kernels", "transform", "encoding", "structure", "search", "."];
// The reference brings the headers that all kernels share.
const FIRST = "kernels/portable.c";
// Where gcc has met `#pragma GCC target`, it takes a function that is declared
// again for another one: this follows all files that share its header.
const LATE = ["kernels/neon_lookup.c", "kernels/neon_dotprod.c"];

const PUBLIC = "minnow.h";

// --- Reading C ----------------------------------------------------------------

// Comments, strings, numbers and preprocessor lines in one piece each.
const TOKEN =
  /\/\*[^]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\.?\d[\w.]*(?:(?<=[eEpP])[+-][\w.]*)*|[A-Za-z_]\w*|->|##|\s+|[^]/g;
const tokens = (text) => text.match(TOKEN) ?? [];
const isName = (token) => /^[A-Za-z_]/.test(token);
const isSpace = (token) => /^(\s|\/\*|\/\/)/.test(token);

// The text without preprocessor lines, for what looks at declarations.
const withoutDirectives = (text) =>
  text.replace(/^[ \t]*#(?:[^\n\\]|\\[^])*$/gm, "");

// A source's declarations at file scope: each a list of tokens, in which the
// bodies of functions are left out.
function declarations(text) {
  const all = [];
  let now = [];
  let depth = 0;
  let parens = 0;
  let inBody = false;
  for (const t of tokens(withoutDirectives(text))) {
    if (isSpace(t)) continue;
    if (t === "(") parens++;
    if (t === ")") parens--;
    if (t === "{" && depth++ === 0 && parens === 0) inBody = now.at(-1) === ")" && !now.includes("=");
    if (!inBody || depth === 0) now.push(t);
    if (t === "}" && --depth === 0 && inBody) {
      inBody = false;
      all.push(now);
      now = [];
    } else if (t === ";" && depth === 0) {
      all.push(now);
      now = [];
    }
  }
  return all;
}

// Without what __attribute__((…)) says.
function withoutAttributes(list) {
  const rest = [];
  for (let i = 0; i < list.length; i++) {
    if (list[i] !== "__attribute__") {
      rest.push(list[i]);
      continue;
    }
    let depth = 0;
    do {
      i++;
      if (list[i] === "(") depth++;
      if (list[i] === ")") depth--;
    } while (depth > 0);
  }
  return rest;
}

// Before the first of `ends`, outside of braces: the declared name.
function declared(list, ends) {
  let depth = 0;
  let name;
  for (const t of list) {
    if (t === "{") depth++;
    else if (t === "}") depth--;
    else if (depth === 0 && ends.includes(t)) return name;
    else if (depth === 0 && isName(t)) name = t;
  }
  return name;
}

// The names at file scope that a linker does not see.
function localNames(text) {
  const names = new Set();
  for (const raw of declarations(text)) {
    const list = withoutAttributes(raw);
    list.forEach((t, i) => {
      if (!["struct", "enum", "union"].includes(t)) return;
      const open = list.indexOf("{", i);
      if (open === i + 2 && isName(list[i + 1])) names.add(list[i + 1]);
      if (t === "enum" && open >= 0) {
        for (let j = open; list[j] !== "}"; j++)
          if (["{", ","].includes(list[j]) && isName(list[j + 1])) names.add(list[j + 1]);
      }
    });
    if (list[0] === "typedef") names.add(declared(list, ["(", "[", ";"]));
    else if (list.some((t) => t === "static" || t === "MN_INLINE"))
      names.add(declared(list, ["(", "[", "=", ";"]));
  }
  names.delete(undefined);
  return names;
}

const macros = (text) =>
  [...text.matchAll(/^[ \t]*#[ \t]*define[ \t]+(\w+)/gm)].map((m) => m[1]);

const mentioned = (text) => new Set(tokens(text).filter(isName));

// --- Putting headers in -------------------------------------------------------

const read = (path) =>
  readFileSync(join(core, path), "utf8").replace(/^\/\* SPDX.*\*\/\n/, "");

const shared = new Map(); // headers by path: their text, in order
const partly = new Set(); // headers that are parts of sources

// `text` of `path` with its headers of the core: those of unconditional
// includes go into `before`, the others where they are included. The guard of a
// header counts for nothing.
function expand(path, before, parts) {
  let depth = path.endsWith(".h") ? -1 : 0;
  const conditional = parts !== undefined;
  return read(path).replace(/^[ \t]*#[ \t]*(if|endif|include)(.*)\n/gm, (line, word, rest) => {
    if (word === "if") depth++;
    if (word === "endif") depth--;
    const name = word === "include" && /"(.*)"/.exec(rest)?.[1];
    if (!name) return line;
    const header = normalize(join(dirname(path), name));
    if (header === PUBLIC || shared.has(header)) return "";
    if (conditional || depth > 0) {
      parts ??= new Set();
      if (parts.has(header)) return "";
      parts.add(header);
      partly.add(header);
      return expand(header, before, parts);
    }
    shared.set(header, ""); // now: headers may include each other
    const text = expand(header, before);
    shared.set(header, text);
    before.push({ path: header, text });
    return "";
  });
}

// --- Names --------------------------------------------------------------------

// In the body of a structure, a name before one of these is a member's.
const AFTER_MEMBER = [";", ",", "[", ":", ")"];

function rename(text, names) {
  const list = tokens(text);
  const next = (i) => list.slice(i + 1).find((t) => !isSpace(t));
  const braces = []; // for each open brace, whether it is a structure's
  let before = ["", "", ""]; // the last tokens
  return list
    .map((t, i) => {
      if (isSpace(t)) return t;
      const [b2, b1] = before.slice(-2);
      if (t === "{") braces.push(["struct", "union"].includes(b1) || ["struct", "union"].includes(b2));
      if (t === "}") braces.pop();
      before = [b1, t];
      const isMember =
        b1 === "." || b1 === "->" || (braces.at(-1) && AFTER_MEMBER.includes(next(i)));
      return names.has(t) && !isMember ? names.get(t) : t;
    })
    .join("");
}

const sources = FOLDERS.flatMap((folder) =>
  readdirSync(join(core, folder))
    .filter((name) => name.endsWith(".c"))
    .sort()
    .map((name) => normalize(join(folder, name))),
);
const move = (path, to) => sources.splice(to, 0, ...sources.splice(sources.indexOf(path), 1));
move(FIRST, 0);
move(LATE[1], sources.indexOf(LATE[0]));

const units = sources.map((path) => {
  const before = [];
  return { path, text: expand(path, before), before };
});
for (const header of partly)
  if (shared.has(header)) throw Error(`${header} is included with and without a condition`);

const stem = (path) => path.replace(/^.*\/|\.c$/g, "");
const stems = sources.map(stem);
const everything = units.flatMap((unit) => [...unit.before, unit]);
everything.forEach((one) => (one.mentioned = mentioned(one.text)));
const all = new Set(everything.flatMap((one) => [...one.mentioned]));

for (const unit of units) {
  const own = stem(unit.path);
  const suffix = stems.filter((s) => s === own).length > 1 ? unit.path.replace(/\W/g, "_").slice(0, -2) : own;
  const names = new Map();
  for (const name of localNames(unit.text)) {
    if (!everything.some((one) => one !== unit && one.mentioned.has(name))) continue;
    const other = `${name}_in_${suffix}`;
    if (all.has(other)) throw Error(`${unit.path}: ${name} cannot become ${other}`);
    names.set(name, other);
  }
  unit.text = rename(unit.text, names);
}

// --- Writing ------------------------------------------------------------------

const header = readFileSync(join(core, PUBLIC), "utf8");
const version = ["MAJOR", "MINOR", "PATCH"]
  .map((part) => new RegExp(`MN_VERSION_${part} +(\\d+)`).exec(header)[1])
  .join(".");

const top = readFileSync(new URL("amalgamation.h", import.meta.url), "utf8").replace(
  "VERSION",
  version,
);
const part = (path, text) =>
  `\n/* ${"=".repeat(72)}\n * core/${path}\n * ${"=".repeat(72)} */\n${text.replace(/\n{3,}/g, "\n\n")}`;
const end = (text) => [...new Set(macros(text))].map((name) => `#undef ${name}\n`).join("");

const folder = resolve(process.argv[2] ?? fileURLToPath(new URL("../build/amalgamation", import.meta.url)));
mkdirSync(folder, { recursive: true });
writeFileSync(join(folder, "minnow.h"), header);
writeFileSync(
  join(folder, "minnow.c"),
  top +
    units
      .map((unit) => {
        const headers = unit.before.map((one) => part(one.path, one.text)).join("");
        return headers + part(unit.path, unit.text) + end(unit.text);
      })
      .join(""),
);
