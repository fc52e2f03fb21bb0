import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, it } from "vitest"
import type { ChildPort } from "../../process/child.ts"
import { Placements } from "./placements.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-placements-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const pack = { folder: join(import.meta.dirname, "../../../test/parity/byte"), threads: 1 }

/** Engines that never answer; tells how many were started and how many were ended. */
function hanging() {
  const count = { started: 0, ended: 0 }
  const start = (): ChildPort => {
    count.started++
    return { send() {}, onMessage() {}, onExit() {}, kill: () => void count.ended++ }
  }
  return { start, count }
}

it("a run never waits for measuring, and ends it", async () => {
  const { start, count } = hanging()
  const placements = new Placements(start, cache, 0)
  expect(await placements.of("auto", pack)).toEqual({ device: "cpu", precision: "int8" })
  expect(count.started).toBe(0)
  placements.resume()
  await expect.poll(() => count.started).toBeGreaterThan(0)
  placements.pause()
  await expect.poll(() => count.ended).toBe(count.started)
  expect(await placements.of("auto", pack)).toEqual({ device: "cpu", precision: "int8" })
})
