import { execFileSync } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { readPack } from "../main/packs/read.ts"
import { copyBandwidth } from "./copy.ts"
import { benchPack } from "./random-pack.ts"
import { soundSpeed } from "./sound.ts"
import { median } from "./timing.ts"

/**
 * `npm run bench -- [PACK …] [--rounds N]`: decode, prefill, load and memory of packs beside this machine's memory
 * bandwidth and beside the plain way (bench/plain.ts); of packs of sound, how fast they make it beside how fast it plays.
 * Ratios come from one run; numbers of different runs do not compare.
 */

if (process.argv.includes("--speed")) await import("./speed.ts")
if (process.argv.includes("--device")) await import("./device.ts")
if (process.argv.includes("--precision")) await import("./precision.ts")
if (process.argv.includes("--long")) await import("./long.ts")
if (process.argv.includes("--peers")) await import("./peers.ts")
if (process.argv.includes("--profile")) await import("./profile.ts")

const args = process.argv.slice(2)
const rounds = args.includes("--rounds") ? Number(args[args.indexOf("--rounds") + 1]) : 1
const names = args.filter((a, i) => !a.startsWith("--") && args[i - 1] !== "--rounds")
const cores = cpus().length
const measure = fileURLToPath(new URL("./measure.ts", import.meta.url))

/** One row's numbers, as the columns below have them. */
async function row(name: string, precision: string, threads: number): Promise<number[]> {
  // Before and after: other tenants of the memory come and go within minutes.
  const before = await copyBandwidth(cores)
  const command = ["--import", "tsx", measure, name, precision, String(threads)]
  const r = JSON.parse(execFileSync(process.execPath, command, { encoding: "utf8" }))
  const copy = (before + (await copyBandwidth(cores))) / 2
  const ofCopy = (bytes: number) => (100 * bytes) / (r.patchMs / 1000) / copy
  return [
    r.loadMs,
    r.prefillBytesPerSecond,
    r.firstPatchMs,
    r.patchMs,
    r.bytesPerSecond,
    copy / 1e9,
    ofCopy(r.weightBytes),
    ofCopy(r.weightBytes + r.cacheBytes),
    r.timesPlain,
    r.peakMemoryMB,
  ]
}
const columns: [name: string, digits: number, unit?: string][] = [
  ["load ms", 0],
  ["prefill B/s", 0],
  ["first patch ms", 0],
  ["ms/patch", 2],
  ["decode B/s", 0],
  ["copy GB/s", 1],
  ["of copy", 0, " %"],
  ["with cache", 0, " %"],
  ["x plain", 1],
  ["peak MB", 0],
]

console.log(`${cpus()[0]?.model}, ${cores} cores; medians of ${rounds} round${rounds > 1 ? "s" : ""}\n`)
const packs = names.length ? names : ["text", "large", "large-mha", "audio"]
const isSound = (name: string) => readPack(benchPack(name)).modality === "audio"
const kinds = packs
  .filter((name) => !isSound(name))
  .flatMap((name) => [
    { name, precision: "int8", threads: cores },
    { name, precision: "int8", threads: 1 },
    { name, precision: "fp32", threads: cores },
  ])
if (kinds.length) console.log(["pack      precision threads", ...columns.map(([title]) => title)].join("  "))
const found = kinds.map((): number[][] => [])
// Round by round, so that a busy quarter of an hour does not fall on one row alone.
for (let round = 0; round < rounds; round++)
  for (const [i, { name, precision, threads }] of kinds.entries()) found[i]?.push(await row(name, precision, threads))
kinds.forEach(({ name, precision, threads }, k) => {
  const cells = columns.map(([title, digits, unit = ""], i) => {
    const middle = median((found[k] ?? []).map((numbers) => numbers[i] as number))
    return `${middle.toFixed(digits)}${unit}`.padStart(title.length)
  })
  console.log([`${name.padEnd(9)} ${precision.padEnd(9)} ${String(threads).padStart(7)}`, ...cells].join("  "))
})
for (const name of packs.filter(isSound)) {
  const runs: Awaited<ReturnType<typeof soundSpeed>>[] = []
  for (let round = 0; round < rounds; round++) runs.push(await soundSpeed(name))
  const [made, played] = [median(runs.map((run) => run.made)), runs[0]?.played ?? 0]
  console.log(
    `\n${name}, int8, one variation: ${made.toFixed(0)} bytes/s made, ${played} bytes/s played, ${(made / played).toFixed(2)} x real time`,
  )
}
