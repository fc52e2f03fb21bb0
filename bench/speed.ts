import { cpus } from "node:os"
import { Device, Precision } from "../contract/pack.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { scoreBytes } from "../main/engine/decode/score.ts"
import { benchPack, cache } from "./random-pack.ts"
import { anyPrompt, median, timePatches } from "./timing.ts"

/**
 * `npm run bench -- --speed --device webgpu [--precisions fp16,int8] [--batches 1,4,16,64] [--patches 24] [PACK …]`: bytes
 * a second of decoding, of all variations together, and of prefill and scoring, on one device. PACK: a shipped pack or a
 * configuration with random weights (tiny, large, medium, paper).
 */
const args = process.argv.slice(2)
const options = { "--device": "webgpu", "--precisions": "fp16,int8", "--batches": "1,4,16,64", "--patches": "24" }
const value = (name: keyof typeof options) => (args.includes(name) ? args[args.indexOf(name) + 1] : options[name]) ?? ""
const device = Device.parse(value("--device"))
const batches = value("--batches").split(",").map(Number)
const patches = Number(value("--patches"))
const names = args.filter((a, i) => !a.startsWith("--") && !Object.keys(options).includes(args[i - 1] ?? ""))
const perSecond = (bytes: number, ms: number) => Math.round((1000 * bytes) / ms).toString()

/** Milliseconds of `work`, the second time: the first loads graphs and compiles shaders. */
async function secondTime<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  await work()
  const began = performance.now()
  const result = await work()
  return { ms: performance.now() - began, result }
}

console.log(`${device}, ${cpus()[0]?.model}, ${cpus().length} cores\n`)
const columns = ["pack", "precision", "prefill B/s", "scoring B/s", ...batches.map((n) => `${n} x decode B/s`)]
console.log(`| ${columns.join(" | ")} |\n${"| --- ".repeat(columns.length)}|`)
for (const name of names.length ? names : ["text", "image", "audio", "large", "medium", "paper"]) {
  const folder = benchPack(name)
  for (const precision of value("--precisions")
    .split(",")
    .map((p) => Precision.parse(p))) {
    const model = Model.load(folder, precision, 0, cache, device)
    const { patch, context } = model.config
    const prompt = anyPrompt(Math.min(256, context - patches) * patch)
    const prefill = await secondTime(() => Decoder.start(model, prompt, 1))
    const score = await secondTime(() => scoreBytes(model, prompt))
    const cells = [perSecond(prompt.length, prefill.ms), perSecond(prompt.length, score.ms)]
    for (const batch of batches) {
      const { decoder } = await Decoder.start(model, prompt, batch)
      const times = await timePatches(decoder, patches + 2)
      decoder.release()
      cells.push(perSecond(batch * patch, median(times.slice(2))))
    }
    console.log(`| ${[name, precision, ...cells].join(" | ")} |`)
    await model.release()
  }
}
process.exit(0)
