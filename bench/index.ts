import { execFileSync } from "node:child_process"
import { cpus } from "node:os"
import { fileURLToPath } from "node:url"
import { Worker } from "node:worker_threads"

/**
 * `npm run bench [PACK …]`: decode, prefill, load and memory of packs beside this machine's memory bandwidth and
 * beside the plain way (bench/plain.ts). Ratios come from one run; numbers of different runs do not compare.
 */

if (process.argv.includes("--speed")) await import("./speed.ts")
if (process.argv.includes("--device")) await import("./device.ts")
if (process.argv.includes("--precision")) await import("./precision.ts")

/** Stream copy on all cores, bytes read + written a second: the best of several rounds over 256 MiB in all. */
async function copyBandwidth(threads: number): Promise<number> {
  const size = 2 ** 28 / threads
  const source = `
    const { parentPort } = require("node:worker_threads")
    const a = new Uint8Array(${size}).fill(1), b = new Uint8Array(${size}).fill(2)
    parentPort.on("message", (rounds) => { for (let i = 0; i < rounds; i++) b.set(a); parentPort.postMessage(0) })
    parentPort.postMessage(0)`
  const workers = Array.from({ length: threads }, () => new Worker(source, { eval: true }))
  const answers = () => Promise.all(workers.map((w) => new Promise((resolve) => w.once("message", resolve))))
  await answers()
  let best = 0
  for (let round = 0; round < 8; round++) {
    const began = performance.now()
    const done = answers()
    for (const w of workers) w.postMessage(4)
    await done
    best = Math.max(best, (4 * 2 * size * threads) / ((performance.now() - began) / 1000))
  }
  await Promise.all(workers.map((w) => w.terminate()))
  return best
}

const names = process.argv.slice(2).filter((a) => !a.startsWith("--"))
const cores = cpus().length
console.log(`${cpus()[0]?.model}, ${cores} cores\n`)
console.log(
  "pack      precision threads  load ms  prefill B/s  first patch ms  ms/patch  decode B/s  copy GB/s  of copy  with cache  x plain  peak MB",
)
const measure = fileURLToPath(new URL("./measure.ts", import.meta.url))
for (const name of names.length ? names : ["text", "large", "large-mha"]) {
  for (const [precision, threads] of [
    ["int8", cores],
    ["int8", 1],
    ["fp32", cores],
  ] as const) {
    // Before and after: other tenants of the memory come and go within minutes.
    const before = await copyBandwidth(cores)
    const args = ["--import", "tsx", measure, name, precision, String(threads)]
    const r = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }))
    const copy = (before + (await copyBandwidth(cores))) / 2
    const ofCopy = (bytes: number) => `${((100 * bytes) / (r.patchMs / 1000) / copy).toFixed(0)} %`
    const cells = [
      name.padEnd(9),
      precision.padEnd(9),
      String(threads).padStart(7),
      r.loadMs.toFixed(0).padStart(8),
      r.prefillBytesPerSecond.toFixed(0).padStart(12),
      r.firstPatchMs.toFixed(0).padStart(15),
      r.patchMs.toFixed(2).padStart(9),
      r.bytesPerSecond.toFixed(0).padStart(11),
      (copy / 1e9).toFixed(1).padStart(10),
      ofCopy(r.weightBytes).padStart(8),
      ofCopy(r.weightBytes + r.cacheBytes).padStart(11),
      r.timesPlain.toFixed(1).padStart(8),
      r.peakMemoryMB.toFixed(0).padStart(8),
    ]
    console.log(cells.join(" "))
  }
}
