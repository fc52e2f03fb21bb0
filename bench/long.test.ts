import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, expect, test } from "vitest"
import { Model } from "../main/engine/decode/model.ts"
import { scoreBytes } from "../main/engine/decode/score.ts"
import { configurations, randomPack } from "./random-pack.ts"
import { anyPrompt } from "./timing.ts"

const work = mkdtempSync(join(tmpdir(), "megabyte-long-"))
afterAll(() => rmSync(work, { recursive: true, force: true }))

test("a file scored in chunks is the file scored in small chunks, in a context longer than any chunk", async () => {
  const { tiny, million } = configurations
  if (!tiny || !million) throw new Error("two configurations are gone")
  const config = { ...million, global: tiny.global, local: tiny.local, context: 1024 }
  const model = Model.load(randomPack("long", config, work), "fp32", 1, work)
  // Three chunks and a patch that ends early.
  const bytes = anyPrompt(600 * config.patch + 5)
  const large = await scoreBytes(model, bytes)
  expect(large.logprob.length).toBe(bytes.length)
  for (const largest of [1, 50]) {
    // Patch by patch only as far as it is quick: what comes later does not change what was scored.
    const known = largest === 1 ? bytes.subarray(0, 300 * config.patch) : bytes
    const small = await scoreBytes(model, known, undefined, "score", largest)
    const gap = (a: Float32Array, b: Float32Array) =>
      a.reduce((most, x, i) => Math.max(most, Math.abs(x - (b[i] ?? Number.NaN))), 0)
    expect(gap(small.logprob, large.logprob)).toBeLessThan(1e-4)
    expect(gap(small.entropy, large.entropy)).toBeLessThan(1e-4)
  }
  await model.release()
})
