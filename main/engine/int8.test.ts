import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, expect, it } from "vitest"
import { defaultSampling } from "../../contract/sampling.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-int8-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const pack = fileURLToPath(new URL("../../native-models/text", import.meta.url))
const sentence = "The old clock on the stairs had stopped, and nobody in the house could say when. "
const text = new TextEncoder().encode(sentence.repeat(2).padEnd(176, "."))
const bits = (logprob: Float32Array) => -logprob.reduce((a, b) => a + b, 0) / Math.LN2 / text.length

it.each([1, 3])("decodes in 8 bits what fp32 scores, to within 0.02 bits a byte, %s at a time", async (batch) => {
  const exact = bits((await Decoder.score(Model.load(pack, "fp32", 1, cache), text)).logprob)
  const model = Model.load(pack, "int8", 1, cache)
  const { patch } = model.config
  const { decoder } = await Decoder.start(model, new Uint8Array(), batch)
  const logprob = Array.from({ length: batch }, () => [] as number[])
  for (let at = 0; at < text.length; at += patch) {
    const known = Array.from({ length: batch }, () => text.subarray(at, at + patch))
    for (const [b, part] of (await decoder.step(defaultSampling, 1, known)).entries()) logprob[b]?.push(...part.logprob)
  }
  for (const sequence of logprob) expect(Math.abs(bits(Float32Array.from(sequence)) - exact)).toBeLessThan(0.02)
})
