import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { benchPack, cache } from "./random-pack.ts"
import { readProfile } from "./runtime-profile.ts"
import { anyPrompt, median, timePatches } from "./timing.ts"

/**
 * `npm run bench -- --profile [PACK …]`: what a patch's time is spent on, in 8 bits on one thread, by onnxruntime's own
 * profile. Noting an operator takes longer than most operators do; what it takes, the difference to decoding without
 * a profile in turn with it, is taken off every operator alike.
 */
const PATCHES = 100
/** What operators are for, by their names; the rest are single steps between them. */
const PURPOSES: [purpose: string, operators: string[]][] = [
  ["products with weights", ["DynamicQuantizeMatMul", "MatMulNBits"]],
  ["attention over the patches before", ["FusedMatMul", "MatMul"]],
  ["attention inside the patch", ["GroupQueryAttention"]],
  ["norms", ["SkipSimplifiedLayerNormalization", "SimplifiedLayerNormalization", "SkipLayerNormalization"]],
]
const OTHER = "other operators"

/** A decoder in the middle of a text, and its model. `profile`: prefix of the files in which the runtime notes every operator. */
async function decoder(name: string, profile?: string) {
  const model = Model.load(benchPack(name), "int8", 1, cache, "cpu", profile)
  const { patch, context } = model.config
  const prompt = anyPrompt(Math.min(500, context - PATCHES) * patch)
  return { model, ...(await Decoder.start(model, prompt, 1)), times: [] as number[] }
}

/** Decodes with and without a profile, patch by patch in turn, so that a slower minute falls on both. */
async function decodeBoth(name: string, prefix: string): Promise<[plain: number[], profiled: number[]]> {
  const [plain, profiled] = [await decoder(name), await decoder(name, prefix)]
  for (let i = 0; i < PATCHES; i++)
    for (const { decoder, times } of [plain, profiled]) times.push(...(await timePatches(decoder, 1)))
  await plain.model.release()
  await profiled.model.release()
  return [plain.times, profiled.times]
}

/** The milliseconds of a patch, of the call into the runtime, and of operators by what they are for. */
async function spent(name: string): Promise<{ ms: number; call: number; operators: Map<string, Spent> }> {
  const work = mkdtempSync(join(tmpdir(), "megabyte-bench-profile-"))
  const [plain, profiled] = await decodeBoth(name, join(work, name))
  const noted = readProfile(work, name)
  rmSync(work, { recursive: true })
  const call = median(profiled.map((whole, i) => whole - (noted.runs[i] as number)))
  const ms = median(plain)
  // By node: a median does not mind the moments in which another process had the core.
  const times = new Map<string, { purpose: string; ms: number[] }>()
  for (const { node, op, ms } of noted.operators) {
    if (op === "Loop") continue // what is in it is noted too
    const purpose = PURPOSES.find(([, names]) => names.includes(op))?.[0] ?? OTHER
    const same = times.get(node) ?? { purpose, ms: [] }
    same.ms.push(ms)
    times.set(node, same)
  }
  const operators = new Map<string, Spent>()
  for (const { purpose, ms } of times.values()) {
    const sum = operators.get(purpose) ?? { count: 0, ms: 0 }
    const count = ms.length / PATCHES
    operators.set(purpose, { count: sum.count + count, ms: sum.ms + count * median(ms) })
  }
  const all = [...operators.values()].reduce((a, b) => ({ count: a.count + b.count, ms: a.ms + b.ms }))
  const noting = (all.ms + call - ms) / all.count
  for (const sum of operators.values()) sum.ms -= sum.count * noting
  return { ms, call, operators }
}
type Spent = { count: number; ms: number }

for (const name of process.argv.slice(2).filter((a) => !a.startsWith("--"))) {
  const { ms, call, operators } = await spent(name)
  const line = (ms: number, text: string) => console.log(`  ${ms.toFixed(2).padStart(5)}  ${text}`)
  console.log(`${name}: ${ms.toFixed(2)} ms a patch on one thread, of which`)
  for (const purpose of [...PURPOSES.map(([purpose]) => purpose), OTHER]) {
    const { ms, count } = operators.get(purpose) ?? { ms: 0, count: 0 }
    line(ms, `${purpose}, ${count.toFixed(0)}`)
  }
  line(call, "the call: inputs, outputs, noise")
}
process.exit(0)
