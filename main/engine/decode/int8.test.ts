import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { defaultSampling } from "../../../contract/sampling.ts"
import { quantizeChannels } from "../compile/quantize.ts"
import { Graph } from "../graph/onnx.ts"
import { InferenceSession, Tensor } from "../onnxruntime.ts"
import { Decoder } from "./decoder.ts"
import { Model } from "./model.ts"
import { scoreBytes } from "./score.ts"

const cache = mkdtempSync(join(tmpdir(), "megabyte-int8-"))
afterAll(() => rmSync(cache, { recursive: true, force: true }))
const pack = fileURLToPath(new URL("../../../native-models/text", import.meta.url))
const sentence = "The old clock on the stairs had stopped, and nobody in the house could say when. "
const text = new TextEncoder().encode(sentence.repeat(2).padEnd(176, "."))
const bits = (logprob: Float32Array) => -logprob.reduce((a, b) => a + b, 0) / Math.LN2 / text.length

let exact: number
beforeAll(async () => {
  const model = Model.load(pack, "fp32", 1, cache)
  exact = bits((await scoreBytes(model, text)).logprob)
  await model.release()
})

it.each([1, 3])("decodes in 8 bits what fp32 scores, to within 0.02 bits a byte, %s at a time", async (batch) => {
  const model = Model.load(pack, "int8", 1, cache)
  const { patch } = model.config
  const { decoder } = await Decoder.start(model, new Uint8Array(), batch)
  const logprob = Array.from({ length: batch }, () => [] as number[])
  for (let at = 0; at < text.length; at += patch) {
    const known = Array.from({ length: batch }, () => text.subarray(at, at + patch))
    for (const [b, part] of (await decoder.step(defaultSampling, 1, known)).entries()) logprob[b]?.push(...part.logprob)
  }
  await model.release()
  for (const sequence of logprob) expect(Math.abs(bits(Float32Array.from(sequence)) - exact)).toBeLessThan(0.02)
})

it("multiplies without saturating, whatever lies side by side", async () => {
  const [rows, columns] = [64, 256]
  // Rows of every size of number, with the largest at one or two of every four places: whichever the kernel pairs.
  const w = Float32Array.from({ length: rows * columns }, (_, i) => {
    const large = (Math.floor(i / columns) >> (i % 4)) & 1
    return large ? 1 : Math.sin(i * i) / 4
  })
  const { q, scales } = quantizeChannels(w, rows, columns)
  const g = new Graph("product", () => ({ type: "int8", dims: [columns, rows], offset: 0, length: q.length }), "q.bin")
  const x = g.input("x", "float32", [1, columns])
  g.output("y", g.node("DynamicQuantizeMatMul", [x, g.weight("q"), g.floats(scales), "", ""]), "float32", [1, rows])
  writeFileSync(join(cache, "q.bin"), q)
  writeFileSync(join(cache, "product.onnx"), g.encode())
  const session = await InferenceSession.create(join(cache, "product.onnx"))
  for (const sign of [1, -1]) {
    const ones = new Float32Array(columns).fill(sign) // the largest activation everywhere
    const { y } = await session.run({ x: new Tensor("float32", ones, [1, columns]) })
    for (let r = 0; r < rows; r++) {
      let exact = 0
      for (let c = 0; c < columns; c++) exact += (q[c * rows + r] as number) * (scales[r] as number) * sign
      expect((y?.data as Float32Array | undefined)?.[r]).toBeCloseTo(exact, 2)
    }
  }
  await session.release()
})
