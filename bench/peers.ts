import { execFileSync } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { z } from "zod"
import { Precision } from "../contract/pack.ts"
import { defaultSampling } from "../contract/sampling.ts"
import { expectedShapes } from "../main/engine/compile/weights.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { elementsOf } from "../main/packs/safetensors.ts"
import { apart, partArguments } from "./apart.ts"
import { copyBandwidth } from "./copy.ts"
import { fill, PERFORMANCE, table } from "./page.ts"
import { Plain } from "./plain.ts"
import { benchPack, cache, configurations } from "./random-pack.ts"
import { median, processorMs } from "./timing.ts"
import { cacheBytesPerPatch, weightBytesPerPatch } from "./traffic.ts"

/**
 * `npm run bench -- --peers [--python PATH] [--rounds N] [--minutes M] [--full]`: this engine beside the plain way and
 * MEGABYTE-pytorch at one size, and the paper's generation table: MEGABYTE beside a plain transformer over bytes, at an
 * eighth of the paper's sizes and with `--full` at all of it in 8 bits, 8,192 bytes or as many as M minutes (10) allow. Writes both
 * sections of docs/performance.md. The Python (PYTHON, or python3) needs `pip install MEGABYTE-pytorch`. All on one thread
 * and in processor time.
 */
const LENGTHS = [512, 2048]
const PATCHES_TIMED = [1, 32, 64, 128, 192, 256]
/** Bytes that the two sides of the paper's table write in turn. */
const TURN = 256
const PAPER_BYTES = 8192

/** Seconds until each of some lengths was written. */
type Seconds = number[]
type Pair = { bytes: number; megabyte: number; transformer: number }[]

/** A decoder at the beginning, its graphs loaded. */
async function begin(name: string, precision: Precision): Promise<Decoder> {
  const model = Model.load(benchPack(name), precision, 1, cache)
  await (await Decoder.start(model, new Uint8Array(), 1)).decoder.step(defaultSampling, 1)
  return (await Decoder.start(model, new Uint8Array(), 1)).decoder
}

/** Seconds in which `decoder` writes the next `bytes`. */
async function write(decoder: Decoder, bytes: number): Promise<number> {
  const began = processorMs()
  for (let at = 0; at < bytes; at += decoder.config.patch) await decoder.step(defaultSampling, 1)
  return (processorMs() - began) / 1000
}

async function ours(precision: Precision): Promise<Seconds> {
  const decoder = await begin("peer", precision)
  const seconds: Seconds = []
  for (const [i, length] of LENGTHS.entries())
    seconds.push((seconds[i - 1] ?? 0) + (await write(decoder, length - (LENGTHS[i - 1] ?? 0))))
  return seconds
}

async function plain(precision: Precision): Promise<Seconds> {
  const model = Model.load(benchPack("peer"), precision, 1, cache)
  const { patch } = model.config
  const way = await Plain.load(model, precision, 1)
  await way.decode(1, 2)
  // It goes on after a patch; the first one is taken to cost what the second does.
  const times = await way.decode(1, Math.max(...LENGTHS) / patch, processorMs)
  return LENGTHS.map((length) => times.slice(0, length / patch).reduce((a, b) => a + b, 0) / 1000)
}

/** The configurations that are compared at a size. */
const sidesOf = (size: string) => (size === "full" ? ["paper", "transformer"] : ["paper-eighth", "transformer-eighth"])

/** Both sides of the paper's table in turn, until all is written or the time is over. */
async function pair(size: string, precision: Precision, minutes: number): Promise<Pair> {
  const [megabyte, transformer] = await Promise.all(sidesOf(size).map((name) => begin(name, precision)))
  if (!megabyte || !transformer) throw new Error("a pair has two sides")
  const until = performance.now() + minutes * 60_000
  const pairs: Pair = []
  const sum = { megabyte: 0, transformer: 0 }
  for (let bytes = TURN; bytes <= PAPER_BYTES && performance.now() < until; bytes += TURN) {
    sum.megabyte += await write(megabyte, TURN)
    sum.transformer += await write(transformer, TURN)
    pairs.push({ bytes, ...sum })
  }
  return pairs
}

const part = partArguments()
if (part) {
  const [kind, first = "", second = "", minutes = ""] = part
  const result =
    kind === "ours"
      ? await ours(Precision.parse(first))
      : kind === "plain"
        ? await plain(Precision.parse(first))
        : await pair(first, Precision.parse(second), Number(minutes))
  process.stdout.write(JSON.stringify(result))
  process.exit(0)
}

const args = process.argv.slice(2)
const value = (name: string, usual: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : usual) ?? usual
const python = value("--python", process.env.PYTHON ?? "python3")
const rounds = Number(value("--rounds", "3"))
const minutes = Number(value("--minutes", "10"))
const full = args.includes("--full")
const precisions = ["int8", "fp32"] as const
const number = (x: number, digits = 0) =>
  x.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits })
const machine = `${cpus()[0]?.model}, ${cpus().length} cores; one thread, processor time`
const parametersOf = (name: string) =>
  [...expectedShapes(configurations[name] as (typeof configurations)[string])].reduce(
    (sum, [, shape]) => sum + elementsOf(shape),
    0,
  )
const millions = (count: number) => `${number(count / 1e6)}M`

const Generated = z.object({
  version: z.string(),
  torch: z.string(),
  parameters: z.number(),
  steps: z.array(z.tuple([z.number(), z.number()])),
  checked: z.object({ bytes: z.number(), seconds: z.number() }),
})
type Generated = z.infer<typeof Generated>

/** What MEGABYTE-pytorch takes; see peers.py. */
function generated(): Generated {
  const script = fileURLToPath(new URL("peers.py", import.meta.url))
  try {
    return Generated.parse(
      JSON.parse(execFileSync(python, [script, ...PATCHES_TIMED.map(String)], { encoding: "utf8" })),
    )
  } catch (error) {
    console.error(`MEGABYTE-pytorch did not run in ${python}. Install it there or name another with --python.`)
    throw error
  }
}

/** Seconds for `length` bytes from nothing: the sum of what each costs, between the timed ones on a straight line. */
function integrated({ steps }: Generated, length: number): number {
  const at = (patches: number) => {
    const above = Math.max(
      1,
      steps.findIndex(([m]) => m >= patches),
    )
    const [[m0, s0], [m1, s1]] = [steps[above - 1], steps[above]] as [[number, number], [number, number]]
    return s0 + ((s1 - s0) * (Math.max(patches, m0) - m0)) / (m1 - m0)
  }
  let sum = 0
  for (let n = 0; n < length; n++) sum += at(Math.ceil(n / 8))
  return sum
}

const seconds = new Map<string, Seconds[]>()
const copies: number[] = []
const checks: string[] = []
let theirs: Generated | undefined
for (let round = 0; round < rounds; round++) {
  const add = (name: string, found: Seconds | undefined) => {
    if (found) seconds.set(name, [...(seconds.get(name) ?? []), found])
    process.stderr.write(`${name}: ${found?.map((s) => s.toFixed(2)).join(" and ")} s\n`)
  }
  copies.push(await copyBandwidth(1, processorMs))
  for (const precision of precisions) {
    add(`this engine, ${precision}`, apart(import.meta.url, ["ours", precision]))
    add(`plain: a run a byte, ${precision}`, apart(import.meta.url, ["plain", precision]))
  }
  theirs = generated()
  const run = theirs
  const { bytes, seconds: whole } = theirs.checked
  checks.push(`${whole.toFixed(1)} s against ${integrated(run, bytes).toFixed(1)}`)
  add(
    `MEGABYTE-pytorch ${theirs.version}, fp32`,
    LENGTHS.map((length) => integrated(run, length)),
  )
  copies.push(await copyBandwidth(1, processorMs))
}
const names = [...seconds.keys()]
const middle = (name: string, i: number) => median((seconds.get(name) ?? []).map((s) => s[i] as number))
/** The median of the rounds' ratios: what a round has in common falls out. */
const faster = (name: string, i: number) => {
  const slow = seconds.get(names.at(-1) ?? "") ?? []
  return median((seconds.get(name) ?? []).map((s, round) => (slow[round]?.[i] as number) / (s[i] as number)))
}
fill(
  PERFORMANCE,
  "peers",
  `\`npm run bench -- ${args.filter((a, i) => a !== "--python" && args[i - 1] !== "--python").join(" ")}\` on ${machine}; medians of ${rounds} round${rounds > 1 ? "s" : ""}, in turn. Stream copy of one core before
and after each: ${number(median(copies) / 1e9, 1)} GB/s.

Bytes from nothing, global 8 layers of 512, local 4 layers of 384, patches of 8 bytes, random weights
(${millions(parametersOf("peer"))} parameters here, ${millions(theirs?.parameters ?? 0)} in MEGABYTE-pytorch, which projects patches otherwise). The plain way has this engine's weights,
runs once a byte and hands its caches in and out ([bench/plain.ts](../bench/plain.ts)). MEGABYTE-pytorch is its own \`generate\` under PyTorch
${theirs?.torch}. It recomputes the whole sequence for every byte, so it was not waited for: single bytes were timed after
${PATCHES_TIMED.map((m) => m * 8 - 1).join(", ")} others and summed up between them ([bench/peers.py](../bench/peers.py)). ${theirs?.checked.bytes} bytes
really generated took ${checks.join("; ")} so summed.

${table(
  ["", ...LENGTHS.flatMap((length) => [`${number(length)} bytes, s`, "bytes/s", "x MEGABYTE-pytorch"])],
  names.map((name) => [
    name,
    ...LENGTHS.flatMap((length, i) => [
      number(middle(name, i), 2),
      number(length / middle(name, i), length / middle(name, i) < 10 ? 2 : 0),
      number(faster(name, i), faster(name, i) < 10 ? 1 : 0),
    ]),
  ]),
)}`,
)

const rows: string[][] = []
const runs = [
  ...precisions.map((precision) => ({ size: "eighth", precision })),
  { size: "full", precision: "int8" as const },
]
for (const { size, precision } of full ? runs : runs.slice(0, precisions.length)) {
  const pairs = apart<Pair>(import.meta.url, ["pair", size, precision, String(minutes)]) ?? []
  process.stderr.write(`${size}, ${precision}: ${JSON.stringify(pairs.at(-1))}\n`)
  const sides = sidesOf(size)
  /** Megabytes that a byte makes read, weights and cache, after `bytes`. */
  const read = (side: string, bytes: number) => {
    const model = configurations[side] as (typeof configurations)[string]
    const cached = cacheBytesPerPatch(model, bytes / model.patch)
    return number((weightBytesPerPatch(model, precision) + cached) / model.patch / 1e6)
  }
  for (const { bytes, megabyte, transformer } of pairs.filter(
    ({ bytes }, i) => Number.isInteger(Math.log2(bytes / 512)) || i === pairs.length - 1,
  ))
    rows.push([
      size === "full" ? "full" : "1/8",
      precision,
      number(bytes),
      number(megabyte, 1),
      number(transformer, 1),
      `**${number(transformer / megabyte, 2)}**`,
      ...sides.map((side) => read(side, bytes)),
    ])
}
fill(
  PERFORMANCE,
  "paper",
  `By the same command. The paper: 8,192 bytes take a 350M transformer 132 s and MEGABYTE of 1.3B + 218M 93 s, 1.4 times
as fast. Here both are run by this engine, the transformer as patches of one byte without a local model: the same operators,
caches and sampling inside the graph, one call a patch, random weights, ${TURN} bytes in turn. At 1/8, half as wide and half as deep,
${millions(parametersOf("paper-eighth"))} parameters beside ${millions(parametersOf("transformer-eighth"))}. ${
    full
      ? `The full size, ${millions(parametersOf("paper"))} beside ${millions(parametersOf("transformer"))}, was not run in fp32. `
      : "The full size was not run (`--full`). "
  }Each pair was given ${minutes} minutes, for up to ${number(PAPER_BYTES)} bytes. The last two columns
are what a byte makes each read from memory at that length, weights and cache.

${table(["size", "precision", "bytes", "MEGABYTE, s", "transformer, s", "times as fast", "MB a byte, MEGABYTE", "MB a byte, transformer"], rows)}`,
)
process.exit(0)
