import { readdirSync, readFileSync, rmSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { z } from "zod"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder } from "../main/engine/decoder.ts"
import { Model } from "../main/engine/model.ts"
import { benchPack, cache } from "./random-pack.ts"

/**
 * `npm run bench -- --profile [PACK …]`: what a patch's time is spent on, in 8 bits on one thread, by onnxruntime's own
 * profile. Noting an operator takes longer than most operators do; what it takes, the difference to a run without
 * a profile, is taken off every operator alike.
 */
const PATCHES = 60
const Events = z.array(
  z.object({
    name: z.string(),
    cat: z.string().optional(),
    dur: z.number().optional(),
    args: z.object({ op_name: z.string() }).partial().optional(),
  }),
)
/** What operators are for, by their names; the rest are single steps between them. */
const PURPOSES: [purpose: string, operators: string[]][] = [
  ["products with weights", ["DynamicQuantizeMatMul", "MatMulNBits"]],
  ["attention over the patches before", ["FusedMatMul", "MatMul"]],
  ["attention inside the patch", ["GroupQueryAttention"]],
  ["norms", ["SkipSimplifiedLayerNormalization", "SimplifiedLayerNormalization", "SkipLayerNormalization"]],
]
const OTHER = "other operators"
const median = (times: number[]) => times.sort((a, b) => a - b)[times.length >> 1] as number

/** Milliseconds a patch, and, where a profile is asked for, the operators of all patches with their microseconds. */
async function decode(name: string, profile?: string) {
  const model = Model.load(benchPack(name), "int8", 1, cache, "cpu", profile)
  const { patch, context } = model.config
  const prompt = Uint8Array.from({ length: Math.min(500, context - PATCHES) * patch }, (_, i) => (i * 31) & 127)
  const { decoder } = await Decoder.start(model, prompt, 1)
  const times: number[] = []
  for (let i = 0; i < PATCHES; i++) {
    const began = performance.now()
    await decoder.step(defaultSampling, 1)
    times.push(performance.now() - began)
  }
  await model.release()
  return median(times)
}

for (const name of process.argv.slice(2).filter((a) => !a.startsWith("--"))) {
  const ms = await decode(name)
  const prefix = join(cache, `profile-${process.pid}`)
  const profiled = await decode(name, prefix)
  const files = readdirSync(dirname(prefix)).filter((f) => f.startsWith(basename(prefix)))
  const noted = files.find((f) => f.includes("-decode")) as string
  const events = Events.parse(JSON.parse(readFileSync(join(cache, noted), "utf8")))
  for (const f of files) rmSync(join(cache, f))
  const runs = events.filter((e) => e.name === "model_run").map((e) => (e.dur ?? 0) / 1000)
  const operators = events.filter(
    (e) => e.cat === "Node" && e.name.endsWith("_kernel_time") && e.args?.op_name !== "Loop",
  )
  const spent = new Map<string, { count: number; ms: number }>()
  for (const { args, dur = 0 } of operators) {
    const purpose = PURPOSES.find(([, names]) => names.includes(args?.op_name ?? ""))?.[0] ?? OTHER
    const sum = spent.get(purpose) ?? { count: 0, ms: 0 }
    spent.set(purpose, { count: sum.count + 1 / PATCHES, ms: sum.ms + dur / 1000 / PATCHES })
  }
  const inOperators = [...spent.values()].reduce((sum, { ms }) => sum + ms, 0)
  const call = profiled - median(runs)
  const noting = Math.max(0, (inOperators + call - ms) / (operators.length / PATCHES))
  console.log(`${name}: ${ms.toFixed(2)} ms a patch on one thread, of which`)
  const line = (ms: number, text: string) => console.log(`  ${ms.toFixed(2).padStart(5)}  ${text}`)
  for (const purpose of [...PURPOSES.map(([purpose]) => purpose), OTHER]) {
    const { count, ms } = spent.get(purpose) ?? { count: 0, ms: 0 }
    line(ms - count * noting, `${purpose}, ${count.toFixed(0)}`)
  }
  line(call, "the call: inputs, outputs, luck")
}
process.exit(0)
