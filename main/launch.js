#!/usr/bin/env node
// `megabyte …`, and `npm start` as `megabyte start …`. Plain JavaScript, so that it can say in one line what is missing
// before any TypeScript is loaded.
import { fileURLToPath } from "node:url"

const fail = (line) => {
  process.stderr.write(`megabyte: ${line}\n`)
  process.exit(1)
}

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
if (major < 20 || (major === 20 && minor < 19))
  fail(`this is Node.js ${process.versions.node}, and 20.19 or later is needed`)

try {
  process.cwd()
} catch {
  fail("the folder that you are in no longer exists; go to another one")
}
// npm runs a script in the checkout, but files are named as seen from where the person is.
const { npm_command: command, npm_package_json: json, INIT_CWD: folder } = process.env
const own = fileURLToPath(new URL("../package.json", import.meta.url))
if (folder && command === "run" && json === own) process.chdir(folder)

const tsx = await import("tsx/esm/api").catch(() => fail("its packages are not installed; run npm ci in the checkout"))
// The person's folder may have a tsconfig.json of its own.
tsx.register({ tsconfig: false })
const [first, ...rest] = process.argv.slice(2)
if (first === "start") await (await import("./start.ts")).start(rest)
else await import("./cli/index.ts")
