import { Worker } from "node:worker_threads"

/** Stream copy on `threads` cores, bytes read + written a second by `clock` (ms): the best of several rounds over 256 MiB in all. */
export async function copyBandwidth(threads: number, clock = () => performance.now()): Promise<number> {
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
    const began = clock()
    const done = answers()
    for (const w of workers) w.postMessage(4)
    await done
    best = Math.max(best, (4 * 2 * size * threads) / ((clock() - began) / 1000))
  }
  await Promise.all(workers.map((w) => w.terminate()))
  return best
}
