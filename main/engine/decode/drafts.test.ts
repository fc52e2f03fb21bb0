import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, describe, expect, it, vi } from "vitest"
import type { Sampling } from "../../../contract/sampling.ts"
import { readSafetensors } from "../../packs/safetensors.ts"
import { Listener } from "../features/notes.ts"
import { Decoder } from "./decoder.ts"
import { gumbel } from "./gumbel.ts"
import { Model } from "./model.ts"
import { scoreBytes } from "./score.ts"

const folder = join(import.meta.dirname, "../../../test/parity/tunes")
const cache = mkdtempSync(join(tmpdir(), "megabyte-drafts-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())

const tune = Uint8Array.from(
  new Float32Array(new Uint8Array(readSafetensors(join(folder, "expected.safetensors")).get("x")?.data ?? []).buffer),
)
const plain: Sampling = { temperature: 0.3, topP: 1, topK: 0, minP: 0 }
const patch = 32

/** `count` patches after the first 14 of the tune and `extra` bytes. */
async function run(model: Model, sampling: Sampling, batch: number, count: number, extra: number) {
  const prompt = tune.subarray(0, 14 * patch + extra)
  const { decoder } = await Decoder.start(model, prompt, batch)
  const known = Array.from({ length: batch }, () => prompt.subarray(14 * patch))
  const out: string[] = []
  for (let k = 0; k < count; k++)
    for (const part of await decoder.step(sampling, 7, k ? undefined : known)) out.push(part.bytes.join())
  return out
}

describe.each(["fp32", "int8"] as const)("decoding by drafts in %s", (precision) => {
  const model = Model.load(folder, precision, 1, cache)
  afterAll(() => model.release())

  it.each<[string, Sampling, number]>([
    ["as it is", plain, 1],
    ["greedy", { ...plain, temperature: 0 }, 1],
    ["with masks", { temperature: 0.8, topP: 0.9, topK: 40, minP: 0.02 }, 1],
    ["in three variations", plain, 3],
  ])("gives the same bytes whatever the drafts: %s", async (_, sampling, batch) => {
    const good = await run(model, sampling, batch, 6, 5)
    vi.spyOn(Listener.prototype, "recalled").mockReturnValue(undefined)
    vi.spyOn(Listener.prototype, "guess").mockImplementation(() =>
      Uint8Array.from({ length: patch }, (_, i) => (i * 77) % 256),
    )
    expect(await run(model, sampling, batch, 6, 5)).toEqual(good)
  })
})

it("gives the bytes that one after the other are drawn from the model's own logits", async () => {
  const model = Model.load(folder, "fp32", 1, cache)
  const bytes = tune.slice(0, 16 * patch)
  const expected: number[] = []
  const noise = new Float32Array(256)
  for (let at = 14 * patch; at < bytes.length; at++) {
    const { logits } = await scoreBytes(model, bytes, undefined, "logits")
    gumbel(noise, 7, 0, at)
    const sums = noise.map((drawn, byte) => (logits?.[at * 256 + byte] as number) + plain.temperature * drawn)
    bytes[at] = sums.indexOf(Math.max(...sums))
    expected.push(bytes[at] as number)
  }
  expect((await run(model, plain, 1, 2, 0)).join()).toBe(expected.join())
  await model.release()
})
