import { execFileSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, tmpdir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { canvasOf, Device, type Pack, type Precision, soundOf } from "../contract/pack.ts"
import { defaultSampling } from "../contract/sampling.ts"
import { Decoder } from "../main/engine/decode/decoder.ts"
import { Model } from "../main/engine/decode/model.ts"
import { scoreBytes } from "../main/engine/decode/score.ts"
import { readImage } from "../main/host/media/image.ts"
import { wholeDocument } from "../main/packs/read.ts"
import { at, exampleSound } from "./example.ts"
import { benchPack, cache } from "./random-pack.ts"
import { readProfile } from "./runtime-profile.ts"
import { median } from "./timing.ts"

/**
 * `npm run bench -- --device webgpu [--placement] [--equal N] [--half] [--training] [--write] [PACK …]`: what one patch costs a
 * device. Kernels by the runtime's profile, bytes up and down by the tensors, milliseconds by the clock. --placement prints where every node
 * ran; --equal decodes N greedy bytes in fp32 on the device and on the CPU and compares them; --half scores a file in
 * fp16 on the device and in fp32 on the CPU; with it --training scores it by the training code too (training/score.py, on CUDA
 * where that is); --write puts the table and the command into GPU.md.
 */
const args = process.argv.slice(2)
const value = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined)
const device = Device.parse(value("--device"))
const equal = Number(value("--equal") ?? 0)
const names = args.filter((a, i) => !a.startsWith("--") && !["--device", "--equal"].includes(args[i - 1] ?? ""))
const work = mkdtempSync(join(tmpdir(), "megabyte-bench-device-"))
const greedy = { ...defaultSampling, temperature: 0 }

/** What one run consists of: nodes, how many of each operator on each provider, and kernels launched (a node has none or some). */
function profiled(pack: string, runs: number): { nodes: Map<string, number>; launched: number } {
  const { operators, launched } = readProfile(work, pack)
  const counts = new Map<string, number>()
  for (const { op, provider } of operators) {
    const key = `${provider.replace("ExecutionProvider", "")} ${op}`
    counts.set(key, (counts.get(key) ?? 0) + 1 / runs)
  }
  return { nodes: counts, launched: launched / runs }
}

/** A file that is here to score under a pack: this project's README, or an example of the app. */
async function someFile(pack: Pack) {
  const [canvas, sound] = [canvasOf(pack), soundOf(pack)]
  if (canvas) {
    const path = at("assets/public/examples/monster.png")
    return wholeDocument(pack, (await readImage(path, readFileSync(path), canvas)).bytes)
  }
  if (sound) return wholeDocument(pack, await exampleSound(sound))
  return { bytes: new Uint8Array(readFileSync(at("README.md"))).subarray(0, 4096), header: 0 }
}

/**
 * Bits a byte of a file by the training code, in its environment (training/README.md): as it multiplies here, and in bf16
 * and compiled, as it does on CUDA.
 */
function training(folder: string, { bytes, header }: { bytes: Uint8Array; header: number }): string {
  const home = at("native-models/training")
  const own = join(home, "build/venv/bin/python")
  const python = existsSync(own) ? own : "python3"
  const scored = [[], ["--half"]].map((half) => {
    const args = ["score.py", folder, "--header", String(header), ...half]
    const out = execFileSync(python, args, { cwd: home, input: bytes })
    const { bits, on } = z.object({ bits: z.number(), on: z.string() }).parse(JSON.parse(out.toString()))
    return `${bits.toFixed(4)} (${on})`
  })
  return scored.join(", ")
}

const lines: string[] = []
const say = (line: string) => {
  lines.push(line)
  console.log(line)
}
const kB = (bytes: number) => `${(bytes / 1024).toFixed(1)} kB`
say(`${device}, ${cpus()[0]?.model}, ${cpus().length} cores\n`)
const columns = [
  "pack",
  "kernels a patch",
  "nodes",
  "on the CPU",
  "uploaded a patch",
  "read back a patch",
  "ms a patch",
]
say(`| ${[...columns, "the same bytes", "bits a byte in fp32", "in fp16", "in training"].join(" | ")} |`)
say(`${"| --- ".repeat(11)}|`)
const placements: string[] = []
for (const name of names.length ? names : ["text", "image"]) {
  const folder = benchPack(name)
  const model = Model.load(folder, "fp32", 0, cache, device, join(work, name))
  const { patch } = model.config
  const prompt = new Uint8Array(3 * patch).fill(100)
  const { decoder } = await Decoder.start(model, prompt, 1)
  const session = await model.session("decode")
  const run = session.run.bind(session)
  let [up, down] = [0, 0]
  const bytesOf = (tensors: object, which: string) =>
    Object.values(tensors)
      .filter((t) => t.location === which)
      .reduce((sum, t) => sum + t.data.byteLength, 0)
  const counted = async (feeds: Parameters<typeof run>[0]) => {
    up = bytesOf(feeds, "cpu")
    const out = await run(feeds)
    down = bytesOf(out, "cpu")
    return out
  }
  session.run = counted as typeof session.run
  const made: number[] = []
  const times: number[] = []
  const count = Math.max(4, Math.ceil(equal / patch))
  for (let i = 0; i < count; i++) {
    const began = performance.now()
    made.push(...((await decoder.step(greedy, 1))[0]?.bytes ?? []))
    times.push(performance.now() - began)
  }
  session.endProfiling()
  const { nodes: found, launched } = profiled(name, count)
  const total = [...found.values()].reduce((a, b) => a + b, 0)
  const onCpu = [...found].filter(([key]) => !key.startsWith("WebGpu")).reduce((a, [, n]) => a + n, 0)
  if (args.includes("--placement"))
    for (const [key, n] of [...found].sort()) placements.push(`${name}  ${key.padEnd(44)} ${Math.round(n)} a patch`)
  let same = "not asked"
  if (equal) {
    const cpu = Model.load(folder, "fp32", 0, cache)
    const other = (await Decoder.start(cpu, prompt, 1)).decoder
    let agreed = 0
    for (let at = 0; at < made.length; at += patch) {
      const bytes = (await other.step(greedy, 1))[0]?.bytes ?? new Uint8Array()
      for (let p = 0; p < patch && agreed === at + p; p++) if (bytes[p] === made[at + p]) agreed++
    }
    same = `the first ${agreed} of ${made.length}`
    await cpu.release()
  }
  let bits = ["not asked", "", ""]
  if (args.includes("--half")) {
    const file = await someFile(model.pack)
    const of = async (precision: Precision, where: Device) => {
      const scoring = Model.load(folder, precision, 0, cache, where)
      const { logprob } = await scoreBytes(scoring, file.bytes)
      await scoring.release()
      const own = logprob.subarray(file.header)
      return (-own.reduce((a, b) => a + b, 0) / own.length / Math.LN2).toFixed(4)
    }
    bits = [
      await of("fp32", "cpu"),
      await of("fp16", device),
      args.includes("--training") ? training(folder, file) : "",
    ]
  }
  const ms = median(times)
  say(
    `| ${name} | ${Math.round(launched)} | ${Math.round(total)} | ${Math.round(onCpu)} | ${kB(up)} | ${kB(down)} | ${ms.toFixed(0)} | ${same} | ${bits.join(" | ")} |`,
  )
  decoder.release()
  await model.release()
}
if (args.includes("--write")) {
  const page = at("bench/GPU.md")
  const command = `\`npm run bench -- ${args.join(" ")}\``
  const between = /(<!-- table -->)[\s\S]*(<!-- \/table -->)/
  const table = lines.join("\n")
  const text = readFileSync(page, "utf8").replace(between, (_, a, b) => `${a}\n${command}: ${table}\n${b}`)
  writeFileSync(page, text)
}
if (placements.length) console.log(`\n${placements.join("\n")}`)
rmSync(work, { recursive: true, force: true })
process.exit(0)
