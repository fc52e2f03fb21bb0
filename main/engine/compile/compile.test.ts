import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import { readPack } from "../../packs/read.ts"
import { CacheError, compile } from "./compile.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-compile-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

it("a cache that takes nothing is told in one line, with what to do", () => {
  const { model } = readPack(join(import.meta.dirname, "../../../test/parity/modern"))
  const cache = join(work, "file")
  writeFileSync(cache, "")
  const load = () => ({ weights: {} as never, names: [] })
  expect(() => compile(model, "hash", "int8", cache, load)).toThrow(CacheError)
  expect(() => compile(model, "hash", "int8", cache, load)).toThrow(
    /^The model cannot be made ready in \S+file: [a-z ]+\. Make room there, or set MEGABYTE_CACHE to another folder\.$/,
  )
})
