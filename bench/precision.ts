import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { soundOf } from "../contract/pack.ts"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { scoreBytes } from "../main/engine/decode/score.ts"
import { wholeDocument } from "../main/packs/read.ts"
import { at, exampleSound } from "./example.ts"
import { benchPack, cache } from "./random-pack.ts"

/**
 * `npm run bench -- --precision [--write]`: what 8 bits cost the shipped packs in bits a byte, scored (the parallel
 * graphs) and decoded (the patch graph, every byte given), on held-out data of ../shared/data. --write: into PRECISION.md.
 */
const held = at("../shared/data/heldout")

/** The first of documents of `size` bytes that follow each other. */
function pieces(all: Uint8Array, size: number, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Uint8Array.from(all.subarray(i * size, (i + 1) * size)))
}

const documents: Record<string, (model: Model) => Promise<Uint8Array[]>> = {
  text: async () =>
    readdirSync(join(held, "text"))
      .filter((name) => name.endsWith(".txt"))
      .map((name) => Uint8Array.from(readFileSync(join(held, "text", name)).subarray(0, 8192))),
  image: async () => pieces(execFileSync("xz", ["-dc", join(held, "image/icons.bin.xz")]), 1024, 12),
  audio: async ({ pack }) => {
    const sound = soundOf(pack)
    if (!sound) throw new Error("not a pack of sound")
    return [await exampleSound(sound)]
  },
}

const total = (logprob: Float32Array) => -logprob.reduce((a, b) => a + b, 0) / Math.LN2
const rows = ["| pack | bytes | fp32 | 8 bits, scored | 8 bits, decoded |", "| --- | --- | --- | --- | --- |"]
for (const [name, read] of Object.entries(documents)) {
  const [exact, model] = (["fp32", "int8"] as const).map((p) => Model.load(benchPack(name), p, 0, cache)) as [
    Model,
    Model,
  ]
  const { patch } = model.config
  const bits = { exact: 0, scored: 0, decoded: 0 }
  let count = 0
  for (const document of await read(model)) {
    const { bytes, header } = wholeDocument(model.pack, document)
    const whole = bytes.subarray(0, bytes.length - ((bytes.length - header) % patch))
    bits.exact += total((await scoreBytes(exact, whole)).logprob.subarray(header))
    bits.scored += total((await scoreBytes(model, whole)).logprob.subarray(header))
    const { decoder } = await Decoder.start(model, whole.subarray(0, header), 1)
    for (let from = header; from < whole.length; from += patch) {
      const [part] = await decoder.step(defaultSampling, 1, [whole.subarray(from, from + patch)])
      if (part) bits.decoded += total(part.logprob)
    }
    count += whole.length - header
  }
  rows.push(`| ${[name, count, ...Object.values(bits).map((b) => (b / count).toFixed(4))].join(" | ")} |`)
  console.log(rows.at(-1))
  await exact.release()
  await model.release()
}
if (process.argv.includes("--write"))
  writeFileSync(
    at("bench/PRECISION.md"),
    `# What 8 bits cost

Bits a byte on held-out data (the chorale is the app's example). Scoring quantises activations in blocks, decoding in one
scale a row with one scale a channel of the weights, which is twice as fast on a CPU. Written by \`npm run bench -- --precision --write\`.

${rows.join("\n")}
`,
  )
process.exit(0)
