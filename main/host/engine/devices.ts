import { createHash } from "node:crypto"
import { readFileSync, rmSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import type { DeviceReport } from "../../../contract/app.ts"
import type { EngineParams } from "../../../contract/engine.ts"
import { hasCode } from "../../../contract/errors.ts"
import { Device, type DeviceChoice, Precision } from "../../../contract/pack.ts"
import { DEVICES_FILE, readMeasured, remember, THREADS_FILE } from "../../files/measured.ts"
import { EngineClient, type StartEngine } from "./client.ts"

/** Which devices there are here, and which of them is the fastest for a pack. */

/** Milliseconds after which a driver counts as hung. Compiling a large pack's shaders may take long. */
const TINY_LIMIT = 20_000
const MEASURE_LIMIT = 90_000

/** Times the CPU's time for a patch beyond which a GPU is not measured to the end. */
const FAR_SLOWER = 4

/** A pack to run; where no precision is asked for, the device decides. */
export type PackToRun = { folder: string; precision?: Precision; threads: number }
/** What a pack runs on, and how. */
export type Placement = { device: Device; precision: Precision }

/** What is remembered of a pack: milliseconds a patch by placement. */
const Times = z.record(z.string(), z.number())

type Answer = { works: true; msPerPatch: number | undefined } | { works: false; why: string; isTooSlow: boolean }

/**
 * Tries a device in an engine of its own; one that crashes or hangs is an answer too.
 * @throws when `signal` ends it before there is an answer
 */
async function ask(
  start: StartEngine,
  cache: string,
  what: EngineParams<"probe">,
  signal?: AbortSignal,
): Promise<Answer> {
  signal?.throwIfAborted()
  const client = new EngineClient(start(cache, true))
  const limit = what.pack ? MEASURE_LIMIT : TINY_LIMIT
  let timer: NodeJS.Timeout | undefined
  let abort = () => {}
  const ended = new Promise<never>((_, reject) => {
    abort = () => reject(signal?.reason)
    signal?.addEventListener("abort", abort)
    timer = setTimeout(() => reject(new Error(`it did not answer for ${limit / 1000} s`)), limit)
  })
  try {
    const { msPerPatch } = await Promise.race([client.probe(what), ended])
    return { works: true, msPerPatch }
  } catch (error) {
    signal?.throwIfAborted()
    return { works: false, why: (error as Error).message, isTooSlow: hasCode(error, "tooSlow") }
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", abort)
    client.close()
  }
}

/** What may stand for the GPU on a system, in the order of trying. */
const gpus = (platform = process.platform): Device[] => {
  const own = { darwin: ["coreml"], win32: ["dml"], linux: ["cuda"] } as Partial<Record<string, Device[]>>
  return ["webgpu", ...(own[platform] ?? [])]
}

/** Every kind of device, tried with a tiny graph. Forgets what was measured in `cache`: the machine may have changed. */
export async function tryDevices(start: StartEngine, cache: string): Promise<DeviceReport[]> {
  for (const file of [DEVICES_FILE, THREADS_FILE]) rmSync(join(cache, file), { force: true })
  return Promise.all(
    (["cpu", ...gpus()] satisfies Device[]).map(async (device): Promise<DeviceReport> => {
      const answer = await ask(start, cache, { device })
      if (!answer.works) return { device, works: false, why: answer.why }
      const half = device !== "cpu" && (await ask(start, cache, { device, half: true })).works
      return { device, works: true, ...(half ? { half } : {}) }
    }),
  )
}

/** What was measured of a pack before, without trying anything: the fastest for `auto`, else undefined. */
export function knownPlacement(cache: string, pack: PackToRun): Placement | undefined {
  const times = readMeasured(join(cache, DEVICES_FILE), Times)[memoryKey(pack)]
  return times && fastest(times, { device: "cpu", precision: pack.precision ?? "int8" })
}

/**
 * What a pack runs on for a choice: `auto` measures it once on each device that works, on a GPU in fp16 and with 8-bit
 * weights, and remembers the result in `cache`/devices.json; `gpu` is the GPU where one works, in fp16 if it has that.
 * @param signal ends the measuring, which takes some seconds; nothing is remembered then
 * @throws when `signal` ended it
 */
export async function chooseDevice(
  start: StartEngine,
  cache: string,
  choice: DeviceChoice,
  pack: PackToRun,
  signal?: AbortSignal,
): Promise<Placement> {
  const onCpu: Placement = { device: "cpu", precision: pack.precision ?? "int8" }
  if (choice === "cpu") return onCpu
  const key = memoryKey(pack)
  const path = join(cache, DEVICES_FILE)
  const known = choice === "auto" ? readMeasured(path, Times)[key] : undefined
  if (known) return fastest(known, onCpu)
  const tried = await Promise.all(
    gpus().map(async (device) => ({ device, ...(await ask(start, cache, { device }, signal)) })),
  )
  const working = tried.filter(({ works }) => works).map(({ device }) => device)
  if (choice === "gpu") {
    const [device] = working
    const { precision } = pack
    if (!device) return onCpu
    if (precision) return { device, precision }
    return { device, precision: (await ask(start, cache, { device, half: true }, signal)).works ? "fp16" : "int8" }
  }
  const precisions: Precision[] = pack.precision ? [pack.precision] : ["fp16", "int8"]
  const onGpu = working.flatMap((device) => precisions.map((precision): Placement => ({ device, precision })))
  const times: Record<string, number> = { [nameOf(onCpu)]: Number.MAX_VALUE }
  // One after the other: beside each other they would slow each other down. Alone, the CPU need not be measured. A GPU
  // far slower than the CPU, as drivers in software are, is given up at its second patch.
  let limit: number | undefined
  const givenUp = new Set<Device>()
  for (const { device, precision } of onGpu.length ? [onCpu, ...onGpu] : []) {
    if (givenUp.has(device)) continue
    const what = { device, pack: { ...pack, precision }, ...(limit ? { limit } : {}) }
    const answer = await ask(start, cache, what, signal)
    if (answer.works && answer.msPerPatch !== undefined) times[nameOf({ device, precision })] = answer.msPerPatch
    if (device === "cpu" && answer.works && answer.msPerPatch) limit = FAR_SLOWER * answer.msPerPatch
    if (!answer.works && answer.isTooSlow) givenUp.add(device)
  }
  remember(path, Times, key, times)
  return fastest(times, onCpu)
}

const nameOf = ({ device, precision }: Placement) => `${device} ${precision}`

function fastest(times: Record<string, number>, onCpu: Placement): Placement {
  const [best = ""] = Object.entries(times).sort(([, a], [, b]) => a - b)[0] ?? []
  const [device, precision] = best.split(" ")
  return { device: Device.catch("cpu").parse(device), precision: Precision.catch(onCpu.precision).parse(precision) }
}

function memoryKey({ folder, precision, threads }: PackToRun): string {
  const description = readFileSync(join(folder, "pack.json"))
  const machine = [cpus()[0]?.model, cpus().length, precision, threads]
  return createHash("sha256").update(description).update(JSON.stringify(machine)).digest("hex").slice(0, 24)
}
