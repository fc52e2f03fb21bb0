import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { Model } from "./model.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-model-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const byte = join(import.meta.dirname, "../../../test/parity/byte")
const paper = join(import.meta.dirname, "../../../test/parity/paper")

/** Makes a compiled model look as if it had last been opened `days` ago. */
function age(folder: string, days: number): void {
  const then = new Date(Date.now() - days * 24 * 3600 * 1000)
  utimesSync(join(folder, "index.json"), then, then)
}

it("lets go of compiled models that were not opened for a month, and of nothing else", () => {
  const { folder } = Model.load(byte, "fp32", 1, cache).compiled
  const other = Model.load(byte, "int8", 1, cache).compiled.folder
  mkdirSync(join(cache, "notes"))
  writeFileSync(join(cache, "threads.json"), "{}")
  age(folder, 40)
  age(other, 40)
  Model.load(byte, "int8", 1, cache) // opened again
  Model.load(paper, "fp32", 1, cache) // compiled: a time to tidy up
  expect(existsSync(folder)).toBe(false)
  expect([other, join(cache, "notes"), join(cache, "threads.json")].every(existsSync)).toBe(true)
})
