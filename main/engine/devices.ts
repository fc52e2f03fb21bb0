import { createHash } from "node:crypto"
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import type { DeviceReport } from "../../contract/app.ts"
import type { ProbeRequest } from "../../contract/engine.ts"
import { Device, type DeviceChoice } from "../../contract/pack.ts"
import { EngineClient, type StartEngine } from "./client.ts"

/** Which devices there are here, and which of them is the fastest for a pack. */

/** Milliseconds after which a driver counts as hung. Compiling a large pack's shaders may take long. */
const TINY_LIMIT = 20_000
const MEASURE_LIMIT = 90_000

/** A pack as it will run. */
export type PackToMeasure = NonNullable<ProbeRequest["pack"]>

/** What was measured before: milliseconds a patch by pack, precision, threads and machine, then by device. */
const Remembered = z.record(z.string(), z.record(z.string(), z.number()))

type Answer = { works: true; msPerPatch: number | undefined } | { works: false; why: string }

/** Tries a device in an engine of its own; one that crashes or hangs is an answer too. */
async function ask(start: StartEngine, cache: string, device: Device, pack?: PackToMeasure): Promise<Answer> {
  const client = new EngineClient(start(cache, true))
  const limit = pack ? MEASURE_LIMIT : TINY_LIMIT
  let timer: NodeJS.Timeout | undefined
  const hung = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`it did not answer for ${limit / 1000} s`)), limit)
  })
  try {
    const { msPerPatch } = await Promise.race([client.probe({ device, ...(pack ? { pack } : {}) }), hung])
    return { works: true, msPerPatch }
  } catch (error) {
    return { works: false, why: (error as Error).message }
  } finally {
    clearTimeout(timer)
    client.close()
  }
}

/** Every kind of device, tried with a tiny graph. Forgets what was measured in `cache`: a driver may have come or gone. */
export async function tryDevices(start: StartEngine, cache: string): Promise<DeviceReport[]> {
  rmSync(join(cache, "devices.json"), { force: true })
  return Promise.all(
    Device.options.map(async (device): Promise<DeviceReport> => {
      const answer = await ask(start, cache, device)
      return answer.works ? { device, works: true } : { device, works: false, why: answer.why }
    }),
  )
}

/**
 * The device for a choice: `auto` measures the pack once on each device that works and remembers the result in
 * `cache`/devices.json; `gpu` is the GPU where one works.
 */
export async function chooseDevice(
  start: StartEngine,
  cache: string,
  choice: DeviceChoice,
  pack: PackToMeasure,
): Promise<Device> {
  if (choice === "cpu") return "cpu"
  const key = memoryKey(pack)
  const path = join(cache, "devices.json")
  const known = choice === "auto" ? read(path)[key] : undefined
  if (known) return fastest(known)
  const gpuWorks = (await ask(start, cache, "webgpu")).works
  if (choice === "gpu") return gpuWorks ? "webgpu" : "cpu"
  const times: Record<string, number> = { cpu: Number.MAX_VALUE }
  // One after the other: beside each other they would slow each other down. Alone, the CPU need not be measured.
  for (const device of gpuWorks ? Device.options : []) {
    const answer = await ask(start, cache, device, pack)
    if (answer.works && answer.msPerPatch !== undefined) times[device] = answer.msPerPatch
  }
  mkdirSync(cache, { recursive: true })
  writeFileSync(path, JSON.stringify({ ...read(path), [key]: times }, null, 2))
  return fastest(times)
}

function fastest(times: Record<string, number>): Device {
  const [best] = Object.entries(times).sort(([, a], [, b]) => a - b)[0] ?? []
  return Device.catch("cpu").parse(best)
}

function read(path: string): z.infer<typeof Remembered> {
  try {
    return existsSync(path) ? Remembered.catch({}).parse(JSON.parse(readFileSync(path, "utf8"))) : {}
  } catch {
    return {}
  }
}

function memoryKey({ folder, precision, threads }: PackToMeasure): string {
  const description = readFileSync(join(folder, "pack.json"))
  const machine = [cpus()[0]?.model, cpus().length, precision, threads]
  return createHash("sha256").update(description).update(JSON.stringify(machine)).digest("hex").slice(0, 24)
}
